"""The embedded store keeps the contract of a store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from log_aggregator_dev import StoreContract
from log_aggregator_sqlite import SqliteConfig, SqliteSink


class TestSqlite(StoreContract):
    def make_sink(self, directory: Path) -> SqliteSink:
        return SqliteSink(SqliteConfig(path=directory / "store.sqlite3", busy_timeout=0.2))

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        """Another program holds the file's lock."""
        other = sqlite3.connect(directory / "store.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()
