"""The standard library's SocketHandler with JSON objects, one a line, and its DatagramHandler with one each."""

import json
import logging
import sys
from logging.handlers import DatagramHandler, SocketHandler

from story import EXTRA, SOURCE, TARGET, tell


class Json:
    def makePickle(self, record: logging.LogRecord) -> bytes:  # noqa: N802 - the name that the base class calls
        told = {"message": record.getMessage(), "level": record.levelname, "time": record.created, "source": SOURCE}
        if record.exc_info:
            told["stack_trace"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(told | EXTRA).encode() + b"\n"


class ByTcp(Json, SocketHandler):
    pass


class ByUdp(Json, DatagramHandler):
    pass


tell({"tcp": ByTcp, "udp": ByUdp}[sys.argv[2]]("127.0.0.1", TARGET["lines"]))
