"""What the tests of the commands share: a server that misbehaves on request."""

from tests.support.ingest_server import server

__all__ = ["server"]
