"""How far receivers have read: written in the transaction that appends the records, so both are there or neither."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class ReaderPosition(NamedTuple):
    """Where a reader of a plugin stands: `name` tells its readers apart, `value` is the plugin's own."""

    plugin: str
    name: str
    value: bytes


class Positions:
    """The last durable position of each reader. `load` and `write` run in the writer's transaction."""

    def __init__(self) -> None:
        self._durable: dict[tuple[str, str], bytes] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what was durable at the last end, however it came."""
        rows = connection.execute("SELECT plugin, name, value FROM positions")
        self._durable = {(plugin, name): value for plugin, name, value in rows}

    def write(self, connection: sqlite3.Connection, position: ReaderPosition) -> None:
        """Write a position. It is durable, and may be noted, once the transaction is."""
        connection.execute("INSERT OR REPLACE INTO positions (plugin, name, value) VALUES (?, ?, ?)", position)

    def note(self, position: ReaderPosition) -> None:
        """Note that a position is durable."""
        self._durable[position.plugin, position.name] = position.value

    def get(self, plugin: str, name: str) -> bytes | None:
        """The last durable position of a reader; `None` before the first."""
        return self._durable.get((plugin, name))
