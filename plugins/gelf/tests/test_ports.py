"""The receiver on real sockets, into a running service."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from log_aggregator import ConfigError
from log_aggregator_dev import harness
from log_aggregator_gelf import GelfReceiver
from log_aggregator_gelf.chunks import MAGIC


def message(text: str) -> bytes:
    return json.dumps({"version": "1.1", "host": "web", "short_message": text}).encode()


async def test_datagrams_chunks_and_connections_are_logs() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    async with harness(f'[plugins.gelf]\nhttp = ""\nudp = "{address}"\ntcp = "{address}"\n') as running:
        chunked = message("in chunks")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(message("whole"), ("127.0.0.1", port))
            sender.sendto(b"{broken", ("127.0.0.1", port))
            for number in (1, 0):
                part = chunked[number * 20 :] if number else chunked[:20]
                sender.sendto(MAGIC + b"12345678" + bytes([number, 2]) + part, ("127.0.0.1", port))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(message("first") + b"\0" + message("second") + b"\0" + message("last"))
        writer.close()
        async with asyncio.timeout(20):
            while sum((counts := await running.counts()).values()) < 5:
                await asyncio.sleep(0.02)
        assert counts == {"whole": 1, "in chunks": 1, "first": 1, "second": 1, "last": 1}
        assert (await running.get("/stats"))["plugins"]["gelf"]["figures"] == {"refused": 1, "incomplete": 0}


def test_a_receiver_without_a_port_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="http, udp, tcp: none is set"):
        GelfReceiver(GelfReceiver.Config(http=""))
