"""loki-logger-handler: batches in gzip, a JSON object as the line, structured metadata."""

from loki_logger_handler.loki_logger_handler import LokiLoggerHandler
from story import EXTRA, SOURCE, TARGET, tell

handler = LokiLoggerHandler(
    f"{TARGET['url']}/loki/api/v1/push",
    {"app": SOURCE},
    enable_self_errors=True,
    enable_structured_loki_metadata=True,
    loki_metadata={"region": EXTRA["region"]},
)
tell(handler, attempt=EXTRA["attempt"])
