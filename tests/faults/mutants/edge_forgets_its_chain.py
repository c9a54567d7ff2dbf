"""An edge with a bug put in on purpose: what it sends again has another identity than before."""

from __future__ import annotations

import secrets
import sys

import msgspec
import zstandard

from log_aggregator.cli.main import main
from log_aggregator_upstream.hub import Hub

_send = Hub.send


async def send_as_another(self: Hub, body: bytes) -> object:
    document = msgspec.msgpack.decode(zstandard.decompress(body))
    document["edge"] = secrets.token_hex(8)
    return await _send(self, zstandard.compress(msgspec.msgpack.encode(document)))


Hub.send = send_as_another  # type: ignore[method-assign,assignment]
sys.exit(main())
