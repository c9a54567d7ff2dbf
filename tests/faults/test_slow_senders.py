"""Senders that dawdle are told so and let go; nobody else waits for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.case import log
from tests.faults.wire import NO_ANSWER, Answer, ask, leave, one, read_answer
from tests.support.service import ServiceProcess

GOOD = log()
TIMEOUT = 3.0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    environ = {"BODY_TIMEOUT": str(TIMEOUT), "MAX_CONNECTIONS": "150"}
    service = ServiceProcess(Path(tmp_path_factory.mktemp("slow")), environ=environ)
    yield int(service.start().url.rsplit(":", 1)[1])
    service.stop()


async def send_slowly(port: int, pieces: list[bytes], pause: float) -> tuple[Answer, float]:
    """Send pieces with pauses until answered; the answer, and after how many seconds it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    answer = asyncio.create_task(read_answer(reader))
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.wait([answer], timeout=pause)
            if answer.done():
                break
        async with asyncio.timeout(30):
            return await answer, time.monotonic() - began
    finally:
        answer.cancel()
        await leave(writer)


def head(length: int) -> bytes:
    return one("", length=length)


async def test_a_body_that_never_comes_is_answered_408(port: int) -> None:
    answer, seconds = await send_slowly(port, [head(100)], 1.0)
    assert answer.status == 408
    assert "too slowly" in answer.document["detail"]
    assert seconds < TIMEOUT + 10
    assert answer.headers["connection"] == "close"


async def test_a_body_that_stops_halfway_is_answered_408(port: int) -> None:
    answer, _ = await send_slowly(port, [head(len(GOOD)), GOOD[:10].encode()], 0.1)
    assert answer.status == 408


async def test_a_body_byte_by_byte_is_answered_408(port: int) -> None:
    pieces = [head(len(GOOD) * 50), *[byte.encode() for byte in GOOD * 50]]
    answer, _ = await send_slowly(port, pieces, 0.05)
    assert answer.status == 408


async def test_chunks_of_one_byte_are_answered_408(port: int) -> None:
    start = b"POST /ingest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer, _ = await send_slowly(port, [start, *[b"1\r\n \r\n"] * 1000], 0.05)
    assert answer.status == 408


async def test_a_continued_body_that_never_comes_is_answered_408(port: int) -> None:
    answer, _ = await send_slowly(port, [one("", "Expect: 100-continue", length=100)], 1.0)
    assert answer.status == 408


async def test_a_body_in_pieces_but_in_time_is_taken(port: int) -> None:
    answer, _ = await send_slowly(
        port, [head(len(GOOD)), *[GOOD[i : i + 8].encode() for i in range(0, len(GOOD), 8)]], 0.05
    )
    assert answer.status == 202


async def test_a_hundred_slow_senders_keep_nobody_waiting(port: int) -> None:
    slow = [asyncio.create_task(send_slowly(port, [head(100), b"{"], 1.0)) for _ in range(100)]
    await asyncio.sleep(0)
    good = [await ask(port, one(GOOD)) for _ in range(20)]
    assert not all(task.done() for task in slow), "the good ones had to wait for the slow ones"
    assert {answer.status for answer in good} == {202}
    assert {answer.status for answer, _ in await asyncio.gather(*slow)} == {408}


async def test_one_connection_too_many_is_refused_and_places_come_back(port: int) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(150)]
    try:
        refused = await refusal(port)
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert "connections" in refused.document["detail"]
    finally:
        for _, writer in held:
            await leave(writer)
    async with asyncio.timeout(30):
        while (await ask(port, one(GOOD))).status != 202:
            await asyncio.sleep(0.05)


async def refusal(port: int) -> Answer:
    """What a connection beyond the limit is told; the accepting side may be a moment behind."""
    for _ in range(100):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(0.2):
                answer = await read_answer(reader)
                if answer != NO_ANSWER:
                    return answer
        except TimeoutError:
            continue
        finally:
            await leave(writer)
    return NO_ANSWER
