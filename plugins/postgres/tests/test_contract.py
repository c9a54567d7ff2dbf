"""The PostgreSQL store keeps the contract of a store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from log_aggregator_dev import StoreContract
from log_aggregator_postgres import PostgresConfig, PostgresSink
from tests.support.postgres import ForeignServer, PostgresServer, create_database


class TestPostgres(StoreContract):
    @pytest.fixture(autouse=True)
    def _databases(self, postgres_server: PostgresServer | ForeignServer) -> None:
        """Each directory of a check stands for a store of its own: here, a database."""
        self.server = postgres_server
        self.addresses: dict[Path, str] = {}

    def make_sink(self, directory: Path) -> PostgresSink:
        limits = {"lock_timeout": 0.5, "pool_min": 0, "rollup_days": 0}
        return PostgresSink(PostgresConfig.model_validate({"dsn": self.address(directory), **limits}))

    def address(self, directory: Path) -> str:
        if directory not in self.addresses:
            self.addresses[directory] = create_database(self.server)
        return self.addresses[directory]

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        """The database takes no connections, and those that were open are gone."""
        name = urlsplit(self.address(directory)).path[1:]
        administrator = await asyncpg.connect(self.server.dsn())
        try:
            await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            await asyncio.sleep(0)
            yield
        finally:
            await administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await administrator.close()
