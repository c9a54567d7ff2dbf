"""TLS of a listener: certificates from files, read again when they change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import NamedTuple

LOOK_EVERY = 60.0
"""Seconds between two looks whether the files have changed: certificates are renewed weeks before they end."""

HANDSHAKE_TIMEOUT = 10.0

log = logging.getLogger(__name__)


class Tls(NamedTuple):
    """A certificate chain and its key, both PEM; without `key` it is in the same file.

    With `client_ca`, only clients with a certificate of it may connect.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None

    def files(self) -> list[Path]:
        """The files that are read."""
        return [path for path in self if path is not None]

    def context(self) -> ssl.SSLContext:
        """A context of what the files hold now. Raises `ValueError` that names the files and what is wrong."""
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            # Without a password, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or getattr(error, "reason", "") or type(error).__name__
            names = ", ".join(map(str, self.files()))
            raise ValueError(f"TLS {names}: {reason}; expected PEM files of a certificate and its key") from None
        return context


class ReloadingTls:
    """The context for new connections. Files that are wrong when they change are logged, and the old context stays."""

    def __init__(self, tls: Tls) -> None:
        """Raises `ValueError` when the files cannot be used."""
        self._tls = tls
        self._seen = self._marks()
        self.context = tls.context()

    async def run(self) -> None:
        """Look at the files again and again; cancel to stop."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read the files again if they have changed. May be called from any thread."""
        marks = self._marks()
        if marks == self._seen:
            return
        try:
            self.context = self._tls.context()
        except ValueError as error:
            log.warning("changed certificate cannot be used, the old one stays", extra={"error": str(error)})
        else:
            self._seen = marks
            log.info("certificate was read again", extra={"certificate": str(self._tls.certificate)})

    def _marks(self) -> list[tuple[int, int]]:
        marks = []
        for path in self._tls.files():
            try:
                known = path.stat()
            except OSError:
                marks.append((0, 0))
            else:
                marks.append((known.st_mtime_ns, known.st_ino))
        return marks
