"""A header that an agent sends twice costs it nothing, and decides nothing about where requests end."""

from __future__ import annotations

import asyncio

import pytest

from core.tests.http.memory_backend import MemoryBackend
from log_aggregator.config.settings import Settings
from log_aggregator.http.app import build_app
from log_aggregator.http.duplicates import may_repeat, without_duplicates
from log_aggregator.http.listener import Listener

LOG = b'{"message": "m"}'
HEAD = b"POST /ingest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n" % len(LOG)


async def answered(sent: bytes) -> bytes:
    listener = Listener(build_app(MemoryBackend(Settings(port=0))), Settings(port=0))
    await listener.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(sent)
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
        return answer
    finally:
        await listener.stop()


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Type: application/json\r\nContent-Type: application/json\r\n",
        b"content-type: application/json\r\nUser-Agent: a\r\nCONTENT-TYPE:text/x\r\nUser-Agent: b\r\n",
    ],
)
async def test_a_repeated_content_type_is_taken_once(more: bytes) -> None:
    assert (await answered(HEAD + more + b"\r\n" + LOG)).startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("more", [b"Content-Length: 3\r\n", b"Host: y\r\n"])
async def test_a_repeated_header_that_frames_or_routes_is_refused(more: bytes) -> None:
    assert (await answered(HEAD + more + b"\r\n" + LOG)).partition(b" ")[2].startswith(b"400")


def test_no_byte_moves_and_bodies_are_left_alone() -> None:
    twice = HEAD + b"Content-Type: a\r\ncontent-type: b\r\n\r\n"
    body = b"\r\nContent-Type: c\r\nContent-Type: d"
    changed = without_duplicates(twice + body)
    assert may_repeat(twice)
    assert changed == twice.replace(b"content-type:", b"X-ntent-type:") + body
    assert len(changed) == len(twice + body)
    for other in (HEAD + b"\r\n" + body, b"PATIENCE type:type:" + body, b"POST /no end", b""):
        assert without_duplicates(other) == other
