"""OpenTelemetry's SDK: the handler for logging, the batch processor, the exporter over HTTP; within a span."""

import os
import warnings

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from story import EXTRA, SOURCE, TARGET, tell

warnings.simplefilter("ignore", DeprecationWarning)  # the handler moves into a package of its own
provider = LoggerProvider(Resource.create({"service.name": SOURCE}))
environment = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" in os.environ
exporter = OTLPLogExporter(None if environment else f"{TARGET['url']}/v1/logs", compression=None)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
with TracerProvider().get_tracer("tests").start_as_current_span("order"):
    tell(LoggingHandler(logger_provider=provider), **EXTRA)
provider.shutdown()
