"""TLS: real handshakes, clients with certificates, and certificates that are renewed while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from pathlib import Path

import pytest

from core.tests.listeners.made import Lines, certificate, listening, until
from log_aggregator.listeners import Connection, TcpListener, Tls
from log_aggregator.listeners.tls import ReloadingTls


def client(trusted: Tls, own: Tls | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trusted.certificate)
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


async def send_over(listener: TcpListener, context: ssl.SSLContext, data: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=context, server_hostname="localhost")
    writer.write(data)
    await writer.drain()
    writer.close()


async def test_lines_come_over_tls_and_plain_text_does_not(tmp_path: Path) -> None:
    handler = Lines()
    tls = certificate(tmp_path, "server")
    async with listening(handler, tls=tls) as listener:
        assert listener.name.startswith("made tls 127.0.0.1:")
        await send_over(listener, client(tls), b"secret\n")
        await until(lambda: handler.lines == [b"secret"])
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"<13>no TLS\n")
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        writer.close()
        await until(lambda: listener.counts["failed_handshakes"] == 1)
        await until(lambda: listener.stats()["connections"] == 0)
    assert handler.lines == [b"secret"]


async def test_only_clients_with_a_certificate_are_served_and_it_is_known(tmp_path: Path) -> None:
    server, known, unknown = (certificate(tmp_path, name) for name in ("server", "known", "unknown"))
    names: list[str] = []

    async def handler(connection: Connection) -> None:
        assert connection.certificate is not None
        names.append(dict(pair for (pair,) in connection.certificate["subject"])["commonName"])
        await connection.read_until()

    async with listening(handler, tls=server._replace(client_ca=known.certificate)) as listener:
        await send_over(listener, client(server, known), b"x\n")
        await until(lambda: names == ["known"])
        for own in (unknown, None):
            with contextlib.suppress(ssl.SSLError, ConnectionError):  # TLS 1.3 may tell it later
                await send_over(listener, client(server, own), b"x\n")
        await until(lambda: listener.counts["failed_handshakes"] == 2)
    assert names == ["known"]


async def test_a_renewed_certificate_is_taken_and_a_broken_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tls = certificate(tmp_path, "server")
    assert tls.key is not None
    reloading = ReloadingTls(tls)
    first = reloading.context
    reloading.look()
    assert reloading.context is first, "nothing has changed"
    old = tls.key.read_bytes()
    tls.key.write_bytes(b"half a fi")
    reloading.look()
    assert reloading.context is first
    assert "changed certificate cannot be used" in caplog.text
    tls.key.write_bytes(old)
    certificate(tmp_path, "server")
    os.utime(tls.certificate, ns=(1, 1))
    reloading.look()
    assert reloading.context is not first


async def test_a_listener_serves_the_renewed_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator.listeners.tls.LOOK_EVERY", 0.005)
    handler = Lines()
    tls = certificate(tmp_path, "server")
    async with listening(handler, tls=tls) as listener:
        await send_over(listener, client(tls), b"before\n")
        await until(lambda: handler.lines)
        context = listener._tls.context  # type: ignore[union-attr]  # it has TLS
        certificate(tmp_path, "server")
        await until(lambda: listener._tls.context is not context)  # type: ignore[union-attr]  # likewise
        await send_over(listener, client(tls), b"after\n")
        await until(lambda: len(handler.lines) == 2)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "cert.pem").write_text(content)
    with pytest.raises(ValueError, match=r"^TLS .*/cert\.pem: .+; expected PEM files of a certificate and its key$"):
        Tls(tmp_path / "cert.pem").context()
