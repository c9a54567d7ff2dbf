"""What a plugin keeps in the journal between starts: bytes under names of its own."""

from __future__ import annotations

import sqlite3

from log_aggregator.errors import RetryableError
from log_aggregator.journal.protocol import Journal, JournalError, shared


class PluginState:
    """Implements `hookspecs.State`: the bytes of one plugin under one name.

    With `follows`, they follow the plugin to another member of a shared journal.
    """

    def __init__(self, journal: Journal, plugin: str, name: str, *, follows: bool = False) -> None:
        of_all = shared(journal) if follows else None
        self._load = journal.load_state if of_all is None else of_all.load_state_of_all
        self._save = journal.save_state if of_all is None else of_all.save_state_of_all
        self._plugin = plugin
        self._name = name

    async def load(self) -> bytes | None:
        """What was saved last; `None` before the first time. Raises `RetryableError`."""
        try:
            return await self._load(self._plugin, self._name)
        except JournalError as error:
            raise RetryableError(str(error)) from error

    async def save(self, value: bytes) -> None:
        """Keep bytes in place of those before; durable once this returns. Raises `RetryableError`."""
        try:
            await self._save(self._plugin, self._name, bytes(value))
        except JournalError as error:
            raise RetryableError(str(error)) from error


def read_state(connection: sqlite3.Connection, plugin: str, name: str) -> bytes | None:
    """The bytes that a plugin keeps under a name."""
    query = "SELECT value FROM plugin_state WHERE plugin = ? AND name = ?"
    row = connection.execute(query, (plugin, name)).fetchone()
    return None if row is None else bytes(row[0])


def write_state(connection: sqlite3.Connection, plugin: str, name: str, value: bytes) -> None:
    """Keep bytes in place of those before."""
    query = "INSERT OR REPLACE INTO plugin_state (plugin, name, value) VALUES (?, ?, ?)"
    connection.execute(query, (plugin, name, value))
