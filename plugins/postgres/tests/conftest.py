"""Sinks on a real PostgreSQL, each on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from log_aggregator_postgres import PostgresConfig, PostgresSink
from tests.support.postgres import own_postgres, postgres_dsn, postgres_server
from tests.support.sinks import Host, hosted

__all__ = ["own_postgres", "postgres_dsn", "postgres_server"]

MakeSink = Callable[..., PostgresSink]


@pytest.fixture
def make_sink(postgres_dsn: str) -> MakeSink:
    """Make sinks on one database: `make_sink(lock_timeout=1)`."""

    def make(**options: Any) -> PostgresSink:
        return PostgresSink(
            PostgresConfig.model_validate(
                {"dsn": postgres_dsn, "maintenance_seconds": 3600, "rollup_days": 0, **options}
            )
        )

    return make


@pytest.fixture
def sink(make_sink: MakeSink) -> PostgresSink:
    return make_sink()


@pytest.fixture
async def host(sink: PostgresSink, tmp_path: Path) -> AsyncIterator[Host]:
    """`sink`, running."""
    async with hosted(sink, tmp_path) as running:
        yield running


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A person's connection to the database of the test."""
    connection = await asyncpg.connect(postgres_dsn)
    yield connection
    await connection.close()
