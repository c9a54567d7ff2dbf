"""Tails that nobody reads cost nobody else the live tail."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from tests.support.service import ServiceProcess, StartService

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n"
TAIL = b"GET /dashboard/tail HTTP/1.1\r\nHost: localhost\r\n\r\n"
MOST = 20


@contextmanager
def deaf_tails(service: ServiceProcess, source: str) -> Iterator[list[socket.socket]]:
    """As many tails as may be open, which nobody reads."""
    port = int(service.url.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        tails = []
        for _ in range(MOST):
            tail = stack.enter_context(socket.socket())
            tail.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            tail.bind((source, 0))
            tail.settimeout(120)
            tail.connect(("127.0.0.1", port))
            tail.sendall(TAIL)
            assert tail.recv(12) == b"HTTP/1.1 200"
            tails.append(tail)
        assert opened(service) == MOST
        yield tails


def opened(service: ServiceProcess) -> int:
    return int(service.get("/stats")["plugins"]["dashboard"]["figures"]["tails"])


async def sees_a_log(service: ServiceProcess, session: aiohttp.ClientSession) -> bool:
    """Whether a tail opens now and shows a log that is sent then."""
    async with session.get("/dashboard/tail") as answer:
        if answer.status != 200:
            return False
        await answer.content.readline()
        service.post("/ingest", {"message": "here it is"})
        end = b""
        async with asyncio.timeout(120):
            async for part in answer.content.iter_any():  # a line may be longer than a client reads at once
                if b"here it is" in end + part:
                    return True
                end = part[-20:]
    return False


async def test_a_client_with_all_tails_makes_room_for_another_client(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    with deaf_tails(service, "127.0.0.2"):
        async with aiohttp.ClientSession(service.url) as session:
            assert await sees_a_log(service, session)


async def test_tails_that_do_not_read_make_room_even_for_their_own_client(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    with deaf_tails(service, "127.0.0.1"):
        async with aiohttp.ClientSession(service.url) as session:
            assert not await sees_a_log(service, session), "nobody knows yet that they do not read"
            logs = [{"message": f"{'x' * 1500} {number}"} for number in range(1000)]
            async with asyncio.timeout(240):
                while not await sees_a_log(service, session):
                    await asyncio.to_thread(service.post, "/ingest/batch", logs)
