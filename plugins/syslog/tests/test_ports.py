"""The receiver on real sockets, into a running service."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from log_aggregator import ConfigError
from log_aggregator_dev import harness
from log_aggregator_syslog import SyslogReceiver


@pytest.fixture
async def service() -> AsyncIterator[tuple[object, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    text = f'[plugins.syslog]\nudp = "{address}"\ntcp = "{address}"\n'
    async with harness(text) as running:
        yield running, port


async def counted(running, total: int) -> dict[str, int]:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(20):
        while True:
            counts = await running.counts()
            if sum(counts.values()) >= total:
                return counts
            await asyncio.sleep(0.02)


async def test_datagrams_and_connections_in_pieces_are_logs(service: tuple[object, int]) -> None:
    running, port = service
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<11>Nov 30 09:00:00 pi app[1]: by datagram", ("127.0.0.1", port))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (b"<14>app: by l", b"ine\n24 <11>app: by co", b"unt\nof two", b"<14>app: cut off"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    writer.close()
    assert await counted(running, 3) == {"by datagram": 1, "by line": 1, "by count\nof two": 1}


def test_a_receiver_without_a_port_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="udp, tcp, tls: none is set"):
        SyslogReceiver(SyslogReceiver.Config())


def test_a_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="timezone: 'Mars/Base' is no zone"):
        SyslogReceiver(SyslogReceiver.Config(udp="127.0.0.1:0", timezone="Mars/Base"))
