"""What a plugin keeps in the journal between starts: bytes under names of its own."""

from __future__ import annotations

import sqlite3

from log_aggregator.errors import RetryableError
from log_aggregator.journal.database import JournalError
from log_aggregator.journal.writer import Writer


class PluginState:
    """Implements `hookspecs.State`: the bytes of one plugin under one name."""

    def __init__(self, writer: Writer, plugin: str, name: str) -> None:
        self._writer = writer
        self._key = (plugin, name)

    async def load(self) -> bytes | None:
        """What was saved last; `None` before the first time. Raises `RetryableError`."""
        try:
            return await self._writer.submit(self._read)
        except JournalError as error:
            raise RetryableError(str(error)) from error

    async def save(self, value: bytes) -> None:
        """Keep bytes in place of those before; durable once this returns. Raises `RetryableError`."""
        kept = bytes(value)
        try:
            await self._writer.submit(lambda connection: self._write(connection, kept))
        except JournalError as error:
            raise RetryableError(str(error)) from error

    def _read(self, connection: sqlite3.Connection) -> bytes | None:
        query = "SELECT value FROM plugin_state WHERE plugin = ? AND name = ?"
        row = connection.execute(query, self._key).fetchone()
        return None if row is None else bytes(row[0])

    def _write(self, connection: sqlite3.Connection, value: bytes) -> None:
        query = "INSERT OR REPLACE INTO plugin_state (plugin, name, value) VALUES (?, ?, ?)"
        connection.execute(query, (*self._key, value))
