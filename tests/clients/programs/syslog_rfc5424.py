"""rfc5424-logging-handler: structured data; datagrams, or counted frames by TCP."""

import socket
import sys

from rfc5424logging import Rfc5424SysLogHandler
from rfc5424logging.transport import FRAMING_OCTET_COUNTING
from story import EXTRA, SOURCE, TARGET, tell

kind = socket.SOCK_DGRAM if sys.argv[2] == "udp" else socket.SOCK_STREAM
handler = Rfc5424SysLogHandler(
    ("127.0.0.1", TARGET["syslog"]),
    socktype=kind,
    framing=FRAMING_OCTET_COUNTING,
    appname=SOURCE,
    enterprise_id="32473",
    structured_data={"order": EXTRA},
)
tell(handler)
