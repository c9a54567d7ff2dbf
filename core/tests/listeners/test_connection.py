"""Frames of one connection, however they arrive, within the limits of size, time and memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tests.listeners.made import PLENTY, Lines, listening, send, until
from log_aggregator.listeners import Connection, Frame, FrameTooLargeError, Limits, Memory, SlowSenderError
from log_aggregator.listeners.connection import HIGH


class Wire:
    """The part of a transport that a connection needs, which notes what it is told."""

    def __init__(self, connection: Connection) -> None:
        self.reads = True
        self._connection = connection

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def close(self) -> None:
        self._connection.connection_lost(None)


def connection(limits: Limits | None = None, memory: Memory | None = None) -> tuple[Connection, Any]:
    made = Connection("127.0.0.1", limits or Limits(), memory or Memory(PLENTY))
    wire = Wire(made)
    made.connection_made(wire)  # type: ignore[arg-type]  # what a connection needs of one
    return made, wire


async def frames_of(data: bytes, sizes: list[int], limits: Limits, separator: bytes, keep_last: bool) -> list[Frame]:
    made, _ = connection(limits)

    async def feed() -> None:
        rest = data
        for size in [*sizes, len(data)]:
            part, rest = rest[:size], rest[size:]
            if part:
                made.data_received(part)
            await asyncio.sleep(0)
        made.eof_received()

    feeding = asyncio.create_task(feed())
    frames = []
    while (frame := await made.read_until(separator, keep_last=keep_last)) is not None:
        frames.append(frame)
    await feeding
    return frames


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")), max_size=8),
    last=st.binary(max_size=5).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")),
    sizes=st.lists(st.integers(1, 20), max_size=20),
    most=st.integers(1, 20),
    separator=st.sampled_from([b"\n", b"\r\n"]),
    keep_last=st.booleans(),
)
def test_frames_are_the_same_however_they_arrive(
    lines: list[bytes], last: bytes, sizes: list[int], most: int, separator: bytes, keep_last: bool
) -> None:
    data = b"".join(line + separator for line in lines) + last
    found = asyncio.run(frames_of(data, sizes, Limits(frame_bytes=most), separator, keep_last))
    expected = [Frame(line[:most], len(line)) for line in lines]
    if keep_last and last and len(last) <= most:
        expected.append(Frame(last, len(last)))
    assert found == expected


async def test_a_frame_of_known_size_and_what_comes_first() -> None:
    made, _ = connection()
    made.data_received(b"ab")
    assert await made.peek(1) == b"a"
    reading = asyncio.create_task(made.read_exactly(3))
    await asyncio.sleep(0)
    made.data_received(b"cd")
    assert await reading == b"abc"
    made.eof_received()
    assert await made.read_exactly(2) is None, "a frame that broke off is none"
    assert await made.peek(2) == b"d"
    assert (await made.read(), await made.read()) == (b"d", b"")


async def test_a_frame_that_cannot_be_cut_is_refused_before_it_has_come() -> None:
    made, _ = connection(Limits(frame_bytes=10))
    with pytest.raises(FrameTooLargeError):
        await made.read_exactly(11)


async def test_nothing_is_received_while_the_handler_has_enough_to_do() -> None:
    made, wire = connection()
    made.data_received(b"x" * (HIGH + 1))
    assert not wire.reads
    assert len(await made.read()) == HIGH
    assert not wire.reads
    reading = asyncio.create_task(made.read_exactly(2))
    await asyncio.sleep(0)
    assert wire.reads, "a reader waits for more"
    made.data_received(b"y")
    assert await reading == b"xy"


async def test_a_silent_client_may_be_silent_but_not_within_a_frame() -> None:
    made, _ = connection(Limits(frame_seconds=0.01))
    reading = asyncio.create_task(made.read_until())
    await asyncio.sleep(0.05)
    assert not reading.done()
    made.data_received(b"begun")
    with pytest.raises(SlowSenderError):
        await reading


async def test_a_frame_that_trickles_in_for_ever_is_given_up() -> None:
    """Each byte comes in time; the frame does not."""
    made, _ = connection(Limits(frame_seconds=0.05))

    async def trickle() -> None:
        while True:
            made.data_received(b"x")
            await asyncio.sleep(0.005)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(20):
        with pytest.raises(SlowSenderError):
            await made.read_until()
    trickling.cancel()


async def test_the_rest_of_a_cut_frame_must_come_in_time_too() -> None:
    made, _ = connection(Limits(frame_bytes=10, frame_seconds=0.01))
    made.data_received(b"x" * 20)
    with pytest.raises(SlowSenderError):
        await made.read_until()


async def test_large_frames_grow_no_more_when_memory_is_scarce() -> None:
    memory = Memory(3 * HIGH)
    first, _ = connection(memory=memory)
    second, _ = connection(memory=memory)
    for made in (first, second):
        made.data_received(b"x" * 2 * HIGH)
    assert memory.is_scarce
    with pytest.raises(FrameTooLargeError):
        await first.read_exactly(4 * HIGH)
    cutting = asyncio.create_task(second.read_until())
    await asyncio.sleep(0)
    second.data_received(b"x\nnext\n")
    frame = await cutting
    assert frame is not None
    assert (len(frame.data), frame.size, frame.is_cut) == (2 * HIGH, 2 * HIGH + 1, True)
    assert await second.read_until() == Frame(b"next", 4)
    await first.close()
    assert memory.used == 0


async def test_what_is_here_is_read_to_its_end_when_reading_stops() -> None:
    made, wire = connection()
    made.data_received(b"one\ntwo\nbroken off")
    made.stop_reading()
    assert not wire.reads
    assert [await made.read_until(keep_last=True) for _ in range(3)] == [Frame(b"one", 3), Frame(b"two", 3), None]


async def test_a_waiting_reader_is_told_of_the_end() -> None:
    made, _ = connection()
    for end in (made.stop_reading, lambda: made.connection_lost(None)):
        reading = asyncio.create_task(made.read_until())
        await asyncio.sleep(0)
        end()
        assert await reading is None


async def test_a_peer_that_reads_nothing_does_not_hold_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator.listeners.connection.WRITE_TIMEOUT", 0.02)
    outcome: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def chatter(connection: Connection) -> None:
        try:
            while True:
                await connection.write(b"x" * 1_000_000)
        except ConnectionError as error:
            outcome.set_result(error)
            raise

    async with listening(chatter) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1)
        async with asyncio.timeout(20):
            assert str(await outcome) == "the peer reads nothing"
        writer.transport.abort()
        await until(lambda: listener.counts["lost"])


async def test_a_large_line_over_a_real_socket_comes_whole() -> None:
    handler = Lines()
    line = bytes(range(1, 10)) * 100_000
    async with listening(handler) as listener:
        await send(listener.port, line, b"\n", b"\xe2\x80\xa8\xff\n")  # U+2028 is no line break, 0xff no text
        await until(lambda: handler.ended)
    assert handler.lines == [line, b"\xe2\x80\xa8\xff"]


async def test_a_frame_that_the_caller_keeps_must_be_whole_in_time() -> None:
    made, _ = connection(Limits(frame_seconds=0.05))
    made.data_received(b"half")
    assert await made.read() == b"half"
    with pytest.raises(SlowSenderError):
        await made.read(held=4)


async def test_the_time_of_a_frame_begins_when_another_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    made, _ = connection(Limits(frame_seconds=10))
    for number in range(5):  # a sender whose frames never end where its segments do
        made.data_received(b"end begin")
        assert await made.read(held=5 if number else 0) == b"end begin"
        now += 9
    made._hold_frame(14)
    assert made._whole_by == 136 + 10, "nothing ended: the time goes on"
    made._hold_frame(5)
    assert made._whole_by == now + 10
    made._hold_frame(0)
    assert made._whole_by is None


async def test_what_the_caller_keeps_counts_as_memory_until_the_end() -> None:
    memory = Memory(2 * HIGH)
    made, _ = connection(memory=memory)
    made.data_received(b"x" * HIGH)
    await made.read()
    made.data_received(b"y")
    assert await made.read(held=HIGH) == b"y"
    assert memory.used == HIGH
    memory.used += 2 * HIGH
    with pytest.raises(FrameTooLargeError):
        await made.read(held=HIGH + 1)
    memory.used -= 2 * HIGH
    await made.close()
    assert memory.used == 0
