"""The plugin: takes flushes into the database, offers the store, and keeps schema and old rows in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush
from log_aggregator_postgres.config import PostgresConfig
from log_aggregator_postgres.faults import OUT_OF_REACH, explain, is_damage, retry_within
from log_aggregator_postgres.heartbeat import Heartbeat
from log_aggregator_postgres.maintenance import Maintenance
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.schema import Schema
from log_aggregator_postgres.store import PostgresStore
from log_aggregator_postgres.writer import Writer

_log = logging.getLogger(__name__)


class PostgresSink:
    """Keeps aggregates in PostgreSQL; each flush is stored exactly once, whatever breaks in between."""

    Config = PostgresConfig

    def __init__(self, config: PostgresConfig) -> None:
        self._config = config
        self._schema: Schema | None = None
        self._writer: Writer | None = None
        self._store: PostgresStore | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Register the store; connect and migrate in the background, for the server may be down."""
        settings = service.settings
        pool = Pool(self._config)
        self._writer = Writer(pool, self._config.remembered_bytes, settings.max_samples, settings.aggregation_bucket)
        heartbeat = Heartbeat(pool, service.instance, self._config.silent_minutes)
        self._store = store = PostgresStore(pool, settings.max_samples, heartbeat)
        service.register_store(store)
        service.add_stats("postgres", lambda: {"silent_instances": len(heartbeat.silent)})
        self._schema = schema = Schema(pool, self._store.note_error)
        maintenance = Maintenance(pool, self._config, settings.max_samples)
        tasks = [
            asyncio.create_task(schema.keep(), name="postgres-schema"),
            asyncio.create_task(maintenance.run(schema.ready), name="postgres-maintenance"),
            asyncio.create_task(heartbeat.run(schema.ready), name="postgres-heartbeat"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writer = self._store = self._schema = None
            if schema.ready.is_set() and store.trying_since is None:
                await heartbeat.stop()
            await pool.close()

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Store the flush and its progress in one transaction; committed when this returns."""
        if self._writer is None or self._store is None or self._schema is None:
            raise RetryableError("postgres: the sink is closed")
        self._store.trying_since = flush.opened
        try:
            await self._schema.wait()
            poison = await self._writer.store(flush)
            self._store.trying_since = None
        except OUT_OF_REACH as error:
            if is_damage(error):
                self._schema.is_damaged()
            self._store.note_error(explain(error))
            raise RetryableError(f"PostgreSQL: {explain(error)}", retry_within=retry_within(error)) from None
        for row, reason in poison:
            _log.error(
                "PostgreSQL refused a row of %d logs in flush %s: %s; it is in quarantine, "
                "see `log-aggregator postgres quarantine`",
                row.fresh.count,
                flush.identity,
                reason,
            )
