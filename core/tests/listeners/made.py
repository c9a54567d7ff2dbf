"""Listeners on free ports and plain sockets that send to them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from log_aggregator.listeners import Connection, Frame, Limits, Memory, TcpListener, Tls
from log_aggregator.listeners.addresses import Endpoint
from log_aggregator.plugins.isolation.where_raised import where_raised

HERE = Endpoint("127.0.0.1", 0)
PLENTY = 1 << 30

Handler = Callable[[Connection], Awaitable[None]]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


class Lines:
    """A handler that keeps the lines that it reads, and what each connection ended with."""

    def __init__(self, *, keep_last: bool = False) -> None:
        self.frames: list[Frame] = []
        self.ended = 0
        self._keep_last = keep_last

    @property
    def lines(self) -> list[bytes]:
        return [frame.data for frame in self.frames]

    async def __call__(self, connection: Connection) -> None:
        try:
            while (frame := await connection.read_until(keep_last=self._keep_last)) is not None:
                self.frames.append(frame)
        finally:
            self.ended += 1


@asynccontextmanager
async def listening(
    handler: Handler, limits: Limits | None = None, memory: Memory | None = None, tls: Tls | None = None
) -> AsyncIterator[TcpListener]:
    """A TCP listener on a free port."""
    bound = HERE.bind(socket.SOCK_STREAM, is_shared=False)
    describe = partial(where_raised, package=__name__.partition(".")[0])
    listener = TcpListener("made", HERE, bound, handler, limits or Limits(), memory or Memory(PLENTY), tls, describe)
    listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def send(port: int, *parts: bytes) -> None:
    """Send parts on a connection of their own and close it."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


def certificate(directory: Path, name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None = None) -> Tls:
    """A certificate and its key in files of their own, self-signed unless there is an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, with_key = issuer or (subject, key)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(with_key, hashes.SHA256())
    )
    files = directory / f"{name}.pem", directory / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files[1].write_bytes(private)
    return Tls(*files)
