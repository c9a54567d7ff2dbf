"""Why a port or an address cannot be had, in words that say what to do."""

from __future__ import annotations

import errno
import socket

_WORDS = {
    errno.EADDRINUSE: "another program listens there already: end it, or choose another port",
    errno.EACCES: "ports below 1024 are for root: choose a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address; 0.0.0.0 stands for all that it has",
}


def cannot_listen(where: str, error: OSError) -> str:
    """The text of an error: where · what · what to do."""
    said = "no host has this name" if isinstance(error, socket.gaierror) else _WORDS.get(error.errno or 0)
    return f"{where}: cannot listen: {said or error.strerror or error}"
