"""graypy: by UDP, TCP and HTTP, as the first argument says."""

import sys

import graypy
from story import EXTRA, SOURCE, TARGET, tell

kinds = {
    "udp": (graypy.GELFUDPHandler, TARGET["gelf"]),
    "tcp": (graypy.GELFTCPHandler, TARGET["gelf"]),
    "http": (graypy.GELFHTTPHandler, TARGET["http"]),
}
handler, port = kinds[sys.argv[2]]
tell(handler("127.0.0.1", port, facility=SOURCE), **EXTRA)
