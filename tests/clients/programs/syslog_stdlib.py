"""The standard library's SysLogHandler by UDP or TCP, as the first argument says."""

import logging
import socket
import sys
from logging.handlers import SysLogHandler

from story import SOURCE, TARGET, tell

kind = socket.SOCK_DGRAM if sys.argv[2] == "udp" else socket.SOCK_STREAM
handler = SysLogHandler(("127.0.0.1", TARGET["syslog"]), SysLogHandler.LOG_LOCAL3, kind)
handler.setFormatter(logging.Formatter(f"{SOURCE}[123]: %(message)s"))
tell(handler)
