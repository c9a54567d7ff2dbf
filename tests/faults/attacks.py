"""Attacks on a running service, until the process is ended: `python -m tests.faults.attacks NAME PORT`."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

AT_ONCE = 4
"""Requests of an attack under way."""

SLOW = 200
"""Connections of which each sends a body byte by byte."""

IDLE = 1000
HEADERS = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n{more}\r\n"
)

Body = tuple[str, bytes]
"""More headers, and the body."""


def _batch(logs: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps({"logs": logs}).encode()


def honest() -> Iterator[Body]:
    """Full load without malice: batches of the same few logs, as fast as they are taken."""
    for number in itertools.count():
        logs = [{"message": f"order {number}{n} paid in {n} ms", "source": "shop", "level": "INFO"} for n in range(100)]
        yield "", _batch(logs)


def quotes() -> Iterator[Body]:
    """Quotes that alternate."""
    body = _batch([{"message": "\"'" * 8000} for _ in range(4)])
    yield from itertools.repeat(("", body))


def many_keys() -> Iterator[Body]:
    """Metadata keys that nobody has used."""
    for number in itertools.count():
        yield (
            "",
            _batch(
                [{"message": "m", "metadata": {f"k{number}x{n}x{key}": "v" for key in range(40)}} for n in range(500)]
            ),
        )


def dear_gzip() -> Iterator[Body]:
    """Few bytes that become many dear logs."""
    metadata = {f"k{number}": "password=x token: y " * 12 for number in range(60)}
    body = gzip.compress(_batch([{"message": f"m {n}", "metadata": metadata} for n in range(200)]))
    yield from itertools.repeat(("Content-Encoding: gzip\r\n", body))


def gzip_bomb() -> Iterator[Body]:
    """Few bytes that become 100 MB."""
    yield from itertools.repeat(("Content-Encoding: gzip\r\n", gzip.compress(bytes(100_000_000))))


def deep_json() -> Iterator[Body]:
    """Lists and objects in one another."""
    bodies = [b"[" * 100_000, b'{"a":' * 100_000, _batch([{"message": "m", "metadata": {"a": _nested(60)}}] * 500)]
    yield from itertools.cycle(("", body) for body in bodies)


def wide_metadata() -> Iterator[Body]:
    """Logs of ten thousand keys each."""
    body = _batch([{"message": "m", "metadata": {f"key{number}": "x" for number in range(10_000)}}] * 8)
    yield from itertools.repeat(("", body))


def many_sources() -> Iterator[Body]:
    """Sources that nobody has used."""
    for number in itertools.count():
        yield "", _batch([{"message": "m", "source": f"s{number}x{n}"} for n in range(1000)])


def worst_lines() -> Iterator[Body]:
    """Lines on which rules take longest, each cut to what is kept of a message."""
    parts = (
        "password=", "password: a ", "://a:", "curl -u ", "-u a -p ", "token=", "a@b.", "4111 1111 ", "1.1.1.1:",
        "Some(", "eyJaaaaaaaaaa.", "{a=", "(", "key=value ", "at a.b(C.java:1)\n", "%25", "x" * 200 + " ",
    )  # fmt: skip
    lines = [(part * (16_000 // len(part))) for part in parts]
    for number in itertools.count():
        yield "", _batch([{"message": f"{number} {line}"} for line in lines])


def many_patterns() -> Iterator[Body]:
    """Messages of which none is like another."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in itertools.count():
        first = letters[number % 26] + letters[number // 26 % 26] + letters[number // 676 % 26]
        yield "", _batch([{"message": f"{first}{letters[n % 26]}{letters[n // 26]} went away"} for n in range(500)])


FLOODS: dict[str, Callable[[], Iterator[Body]]] = {
    one.__name__: one
    for one in (
        honest, quotes, many_keys, dear_gzip, gzip_bomb, deep_json, wide_metadata, many_sources, worst_lines,
        many_patterns,
    )
}  # fmt: skip


def _nested(depth: int) -> object:
    inner: object = "x"
    for _ in range(depth):
        inner = {"a": inner}
    return inner


async def _flood(port: int, bodies: Iterator[Body]) -> None:
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for more, body in bodies:
                writer.write(HEADERS.format(path="/ingest/batch", length=len(body), more=more).encode() + body)
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
                await reader.readexactly(length)
                if b"connection: close" in head.lower():
                    break
            writer.close()
        await asyncio.sleep(0)


async def _slow(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEADERS.format(path="/ingest", length=100_000, more="").encode())
            for _ in range(1000):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)


async def _idle(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, _ = await asyncio.open_connection("127.0.0.1", port)
            await reader.read(1)
        await asyncio.sleep(1)


async def attack(name: str, port: int) -> None:
    """Run one attack until it is ended."""
    print("attacking", flush=True)
    if name in FLOODS:
        bodies = FLOODS[name]()
        await asyncio.gather(*(_flood(port, bodies) for _ in range(AT_ONCE)))
    count, work = {"slow_bodies": (SLOW, _slow), "many_connections": (IDLE, _idle)}[name]
    await asyncio.gather(*(work(port) for _ in range(count)))


NAMES = (*FLOODS, "slow_bodies", "many_connections")

if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], int(sys.argv[2])))
