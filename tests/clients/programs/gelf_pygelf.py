"""pygelf: by UDP (zlib, in chunks where it is long), by TCP and by HTTP, as the first argument says."""

import sys

from pygelf import GelfHttpHandler, GelfTcpHandler, GelfUdpHandler
from story import EXTRA, SOURCE, TARGET, tell

fields = {"_app_name": "x", "_service": SOURCE, "include_extra_fields": True}
port = TARGET["gelf"]
if sys.argv[2] == "udp":
    handler = GelfUdpHandler("127.0.0.1", port, chunk_size=200, **fields)
elif sys.argv[2] == "tcp":
    handler = GelfTcpHandler("127.0.0.1", port, **fields)
else:
    handler = GelfHttpHandler("127.0.0.1", TARGET["http"], **fields)
tell(handler, **EXTRA)
