"""What the client's tests share: a server that misbehaves on request."""

from tests.support.ingest_server import server

__all__ = ["server"]
