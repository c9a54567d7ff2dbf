"""A TCP port: limits of connections and addresses, errors of handlers, and how it stops."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import Any

import pytest

from core.tests.listeners.made import Lines, listening, send, until
from log_aggregator.listeners import Connection, Limits
from log_aggregator.listeners.addresses import networks


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def is_refused(port: int) -> bool:
    reader, writer = await connect(port)
    try:
        async with asyncio.timeout(20):
            return await reader.read(1) == b""
    except ConnectionResetError:
        return True
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("limits", "why"), [(Limits(connections=2), "connections"), (Limits(connections=5, per_client=2), "per_client")]
)
async def test_one_connection_too_many_is_refused_until_another_ends(limits: Limits, why: str) -> None:
    handler = Lines()
    async with listening(handler, limits) as listener:
        writers = [(await connect(listener.port))[1] for _ in range(2)]
        await until(lambda: listener.stats()["connections"] == 2)
        assert await is_refused(listener.port)
        assert listener.counts[f"refused_{why}"] == 1
        writers[0].close()
        await until(lambda: listener.stats()["connections"] == 1)
        await send(listener.port, b"now\n")
        await until(lambda: handler.lines == [b"now"])
        writers[1].close()


async def test_only_allowed_addresses_are_served(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    handler = Lines()
    async with listening(handler, Limits(allow=networks(["10.0.0.0/8"]))) as listener:
        for _ in range(3):
            assert await is_refused(listener.port)
        assert listener.counts["refused_address"] == 3
    assert [record.message for record in caplog.records] == ["listener refuses clients"], "not once a client"
    async with listening(handler, Limits(allow=networks(["10.0.0.0/8", "127.0.0.0/8"]))) as listener:
        await send(listener.port, b"welcome\n")
        await until(lambda: handler.lines == [b"welcome"])


async def test_a_slow_sender_is_cut_off_and_others_are_not() -> None:
    handler = Lines()
    async with listening(handler, Limits(frame_seconds=0.05)) as listener:
        reader, writer = await connect(listener.port)
        _, silent = await connect(listener.port)
        writer.write(b"begun and never")
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        assert listener.counts["refused_slow"] == 1
        silent.write(b"alive\n")
        await until(lambda: handler.lines == [b"alive"])
        writer.close()
        silent.close()


async def test_a_handler_that_raises_costs_only_its_connection() -> None:
    async def handler(connection: Connection) -> None:
        line = await connection.read_until()
        raise KeyError(line)

    async with listening(handler) as listener:
        assert await listener.complaint() is None
        await send(listener.port, b"hunter2\n")
        await until(lambda: listener.counts["errors"])
        await send(listener.port, b"hunter2\n")
        await until(lambda: listener.counts["errors"] == 2)
        complaint = str(await listener.complaint())
        assert "2 times since the start: KeyError at core/tests/listeners/test_tcp.py:" in complaint
        assert "hunter2" not in complaint + str(listener.stats())


async def test_stopping_takes_in_the_frames_that_are_here_and_no_broken_one() -> None:
    handler = Lines(keep_last=True)
    async with listening(handler) as listener:
        _, writer = await connect(listener.port)
        writer.write(b"one\ntwo\nbroken")
        await until(lambda: len(handler.frames) == 2)
        _, late = await connect(listener.port)
        late.write(b"late\n")
        await until(lambda: listener.stats()["connections"] == 2)
    assert sorted(handler.lines) == [b"late", b"one", b"two"]
    assert handler.ended == 2
    writer.close()
    late.close()


async def test_stopping_does_not_wait_for_a_handler_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator.listeners.listener.FINISH", 0.05)
    cancelled = asyncio.Event()

    async def stubborn(connection: Connection) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(20), listening(stubborn) as listener:
        _, writer = await connect(listener.port)
        await until(lambda: listener.stats()["connections"])
    assert cancelled.is_set()
    writer.close()


async def test_a_system_without_file_descriptors_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("log_aggregator.listeners.tcp.NO_ROOM_PAUSE", 0.001)
    handler = Lines()
    accept, refusals = asyncio.get_running_loop().sock_accept, 2

    async def scarce(listening: socket.socket) -> Any:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listening)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_accept", scarce)
    async with listening(handler) as listener:
        await send(listener.port, b"at last\n")
        await until(lambda: handler.lines == [b"at last"])
    assert [record.message for record in caplog.records] == ["cannot take a connection: it waits"] * 2
