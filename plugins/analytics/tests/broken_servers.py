"""Servers that fail below HTTP: async context managers that yield the URL to send to."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plugins.analytics.tests.analytics_server import run_analytics_server

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    """A bound port without a listener: connections are refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@asynccontextmanager
async def nameless() -> AsyncIterator[str]:
    """A name that never resolves (RFC 2606)."""
    yield "http://analytics.invalid:8002"


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """A listener with a full accept queue: connection attempts receive no reply."""
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(socket.socket())
        held.bind(("127.0.0.1", 0))
        held.listen(0)
        for _ in range(64):
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0.2)
            try:
                caller.connect(held.getsockname())
            except TimeoutError:
                break
        else:
            raise AssertionError("the accept queue did not fill up")
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that runs `talk` for each connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        tasks.discard(task)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read the request and send nothing."""
    while await reader.read(65_536):
        pass


async def never_read(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never read the request from the socket."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]  a read transport too
    await asyncio.Event().wait()


async def drip_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send an endless header one byte at a time, so that the connection is never idle."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def respond_without_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Respond with bytes that are not HTTP."""
    await reader.read(65_536)
    writer.write(b"\x00\xff SSH-2.0 what do you want\r\n" * 100)
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read, then close without a response."""
    await reader.read(65_536)


def certificate(directory: Path, name: str = "127.0.0.1") -> Path:
    """Write a self-signed certificate and its key to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_side(path: Path) -> ssl.SSLContext:
    """The server's TLS context for that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def untrusted(directory: Path) -> AsyncIterator[str]:
    """An analytics server with an untrusted certificate."""
    async with run_analytics_server(server_side(certificate(directory))) as server:
        yield server.url
