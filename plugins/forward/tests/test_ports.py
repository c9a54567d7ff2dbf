"""The receiver on real sockets, into a running service: answers, repeats, the shared key."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha512
from typing import Any

import msgpack
import pytest

from log_aggregator_dev import harness


@asynccontextmanager
async def receiving(options: str = "", **environ: str) -> AsyncIterator[tuple[Any, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with harness(f'[plugins.forward]\ntcp = "127.0.0.1:{port}"\n{options}', environ=environ) as running:
        yield running, port


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.stream = msgpack.Unpacker(raw=False)

    @classmethod
    async def to(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, message: Any) -> None:
        self.writer.write(msgpack.packb(message))
        await self.writer.drain()

    async def answer(self) -> Any:
        async with asyncio.timeout(20):
            while True:
                for message in self.stream:
                    return message
                data = await self.reader.read(1000)
                if not data:
                    return None
                self.stream.feed(data)


CHUNK = ["shop", [[1_796_000_000, {"message": "paid"}], [1_796_000_001, {"message": "paid"}]], {"chunk": "one"}]


async def test_a_chunk_is_acknowledged_and_counted_once_however_often_it_comes() -> None:
    async with receiving() as (running, port):
        for _ in range(3):
            client = await Client.to(port)
            await client.send(CHUNK)
            assert await client.answer() == {"ack": "one"}
            client.writer.close()
        client = await Client.to(port)
        await client.send([*CHUNK[:2], {"chunk": "two"}])
        assert await client.answer() == {"ack": "two"}
        client.writer.close()
        assert await running.counts() == {"paid": 4}


async def test_bad_entries_cost_themselves_and_metrics_are_acknowledged() -> None:
    async with receiving() as (running, port):
        client = await Client.to(port)
        await client.send(["shop", [[1, {}], [2, {"message": "good"}]], {"chunk": "a"}])
        assert await client.answer() == {"ack": "a"}
        await client.send(["cpu", [[1, {"message": "metric"}]], {"chunk": "b", "fluent_signal": 1}])
        assert await client.answer() == {"ack": "b"}
        client.writer.close()
        assert await running.counts() == {"good": 1}
        figures = (await running.get("/stats"))["plugins"]["forward"]["figures"]
        assert figures == {"refused": 1, "broken": 0, "wrong_keys": 0, "not_logs": 1}


async def test_bytes_that_are_not_the_protocol_close_the_connection() -> None:
    async with receiving() as (running, port):
        client = await Client.to(port)
        client.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await client.answer() is None
        client.writer.close()
        assert (await running.get("/health"))["status"] in ("ok", "healthy")


@pytest.mark.parametrize("key", ["sesame", "wrong"])
async def test_only_clients_with_the_shared_key_are_heard(key: str) -> None:
    async with receiving('shared_key = "sesame"\n') as (running, port):
        client = await Client.to(port)
        name, option = await client.answer()
        assert name == "HELO"
        nonce = option["nonce"] if isinstance(option["nonce"], bytes) else option["nonce"].encode()
        salt = b"\xff\xfe salt"
        digest = sha512(salt + b"client" + nonce + key.encode()).hexdigest()
        await client.send(["PING", "client", salt, digest, "", ""])
        pong = await client.answer()
        assert pong[:2] == ["PONG", key == "sesame"]
        await client.send(CHUNK)
        assert await client.answer() == ({"ack": "one"} if key == "sesame" else None)
        client.writer.close()
        assert sum((await running.counts()).values()) == (2 if key == "sesame" else 0)


async def test_a_piece_of_a_line_that_is_acknowledged_is_durable() -> None:
    """Were it held in memory until the rest of the line comes, a crash would lose what was acknowledged."""
    record = {"log": "first half", "partial_message": "true", "partial_id": "p", "partial_ordinal": "1"}
    async with receiving() as (running, port):
        client = await Client.to(port)
        await client.send(["docker.ab", [[1_796_000_000, record]], {"chunk": "one"}])
        assert await client.answer() == {"ack": "one"}
        assert await running.counts() == {"first half": 1}
        client.writer.close()


async def test_messages_in_json_are_taken_and_acknowledged_in_json() -> None:
    messages = [
        ["shop", 1_796_000_000, {"message": 'a "quoted" \\ [text', "level": "warn"}],
        ["shop", [[1_796_000_000.5, {"log": "zwei ü\n"}], [1_796_000_001, {}]], {"chunk": "json"}],
    ]
    body = b"".join(json.dumps(one, ensure_ascii=False).encode() for one in messages)
    async with receiving() as (running, port):
        for pieces in ([body], [body[at : at + 1] for at in range(len(body))]):
            client = await Client.to(port)
            for piece in pieces:
                client.writer.write(piece)
                await client.writer.drain()
            async with asyncio.timeout(20):
                assert json.loads(await client.reader.readuntil(b"}")) == {"ack": "json"}
            client.writer.close()
        assert await running.counts() == {'a "quoted" \\ [text': 2, "zwei ü": 1}


HOSTILE = {
    "closes what is not open": b"[}",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "a word": b'["a", nothing]',
    "without an end": b"[" + b" " * 5_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=list(HOSTILE))
async def test_json_that_is_none_closes_the_connection(body: bytes) -> None:
    async with receiving() as (running, port):
        client = await Client.to(port)
        client.writer.write(body)
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                assert await client.reader.read() == b""
        client.writer.close()
        good = await Client.to(port)
        await good.send(CHUNK)
        assert await good.answer() == {"ack": "one"}
        good.writer.close()
        assert await running.counts() == {"paid": 2}


@pytest.mark.parametrize("begun", [b"\x93\xa4shop", b'["shop", 1'], ids=["MessagePack", "JSON"])
async def test_a_message_that_is_begun_and_never_ends_costs_its_connection_and_no_silent_one(begun: bytes) -> None:
    async with receiving(BODY_TIMEOUT="0.3") as (_, port):
        silent, half = await Client.to(port), await Client.to(port)
        await silent.send(CHUNK)
        assert await silent.answer() == {"ack": "one"}
        half.writer.write(begun)
        async with asyncio.timeout(20):
            assert await half.reader.read() == b""
        await silent.send([*CHUNK[:2], {"chunk": "two"}])
        assert await silent.answer() == {"ack": "two"}
        silent.writer.close()
        half.writer.close()
