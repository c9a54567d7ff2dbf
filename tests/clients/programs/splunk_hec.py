"""splunk-handler: events of JSON in batches."""

import json
import logging

from splunk_handler import SplunkHandler
from story import EXTRA, SOURCE, TARGET, tell


class Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = {"message": record.getMessage(), "level": record.levelname}
        if record.exc_info:
            told["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(told | {name: getattr(record, name) for name in EXTRA})


def with_time(record: logging.LogRecord) -> bool:
    record._time = record.created  # what the handler takes as the time of the event
    return True


handler = SplunkHandler(
    "127.0.0.1", TARGET["http"], "any", "main", protocol="http", verify=False, source=SOURCE, allow_overrides=True
)
handler.setFormatter(Json())
handler.addFilter(with_time)
tell(handler, **EXTRA)
