"""Receives OpenTelemetry logs: OTLP over HTTP, as protobuf and as JSON."""

from log_aggregator_otlp.plugin import OtlpConfig, OtlpReceiver

__all__ = ["OtlpConfig", "OtlpReceiver"]
