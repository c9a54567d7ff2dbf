"""The standard library's SocketHandler with JSON objects, one a line."""

import json
import logging
from logging.handlers import SocketHandler

from story import EXTRA, SOURCE, TARGET, tell


class JsonLines(SocketHandler):
    def makePickle(self, record: logging.LogRecord) -> bytes:  # noqa: N802 - the name that the base class calls
        told = {"message": record.getMessage(), "level": record.levelname, "time": record.created, "source": SOURCE}
        if record.exc_info:
            told["stack_trace"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(told | EXTRA).encode() + b"\n"


tell(JsonLines("127.0.0.1", TARGET["lines"]))
