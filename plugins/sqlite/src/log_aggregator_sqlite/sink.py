"""The plugin: takes flushes into the file, offers the store, and looks after old rows."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.errors import ConfigError
from log_aggregator.sinks import Flush
from log_aggregator_sqlite.config import FILE_NAME, SqliteConfig
from log_aggregator_sqlite.damage import open_file
from log_aggregator_sqlite.database import Database
from log_aggregator_sqlite.maintenance import days_kept, delete_step, roll_up_step, shrink_step, thin_step, used_bytes
from log_aggregator_sqlite.store import SqliteStore
from log_aggregator_sqlite.tidying import tidy_step
from log_aggregator_sqlite.writer import Writer

_log = logging.getLogger(__name__)


class SqliteSink:
    """Keeps aggregates in one SQLite file in the data directory; each flush is stored exactly once."""

    Config = SqliteConfig

    def __init__(self, config: SqliteConfig) -> None:
        self._config = config
        self._writer: Writer | None = None
        self._database: Database | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the file, register the store, and look after old rows until the service stops."""
        path = self._config.path or service.shared_dir / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            opening, damage = await asyncio.to_thread(open_file, path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"[plugins.sqlite] {path}: cannot be opened: {error}") from error
        with opening:
            async with self._opened(service, path, damage):
                yield

    @asynccontextmanager
    async def _opened(self, service: Service, path: Path, damage: str) -> AsyncIterator[None]:
        async def damaged() -> str | None:
            return damage or None

        settings = service.settings
        writer = Writer(
            self._config.remembered_bytes, settings.max_samples, settings.aggregation_bucket,
            json_text=self._config.json_text,
        )  # fmt: skip
        self._writer = writer
        reading = Database(path, self._config.busy_timeout, read_only=True)
        self._database = Database(path, self._config.busy_timeout)
        store = SqliteStore(path, reading, self._database, settings.max_samples, self._config)
        service.register_store(store)
        service.add_health_check("sqlite file", damaged)
        maintenance = asyncio.create_task(
            self._maintain(self._database, writer, settings.max_samples), name="sqlite-maintenance"
        )
        try:
            yield
        finally:
            maintenance.cancel()
            with suppress(asyncio.CancelledError):
                await maintenance
            database, self._database = self._database, None
            await database.close()
            await reading.close()

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Store the flush and its progress in one transaction, on disk when this returns."""
        database, writer = self._database, self._writer
        if database is None or writer is None:
            raise RetryableError("sqlite: the sink is closed")
        set_aside = await database.run(lambda connection: writer.store(connection, flush))
        if set_aside:
            _log.error(
                "SQLite refused rows with %d logs of flush %s: they are in quarantine, see `log-aggregator sqlite`",
                set_aside,
                flush.identity,
            )

    async def _maintain(self, database: Database, writer: Writer, max_samples: int) -> None:
        with suppress(RetryableError):
            _tell(self._config, await database.run(partial(days_kept, config=self._config)))
        while True:
            await asyncio.sleep(self._config.maintenance_seconds)
            try:
                await self.maintain_once(database, writer, max_samples)
            except RetryableError as error:
                _log.warning("looking after old rows failed, it is tried again: %s", error)

    async def maintain_once(self, database: Database, writer: Writer, max_samples: int) -> None:
        """Delete what is beyond retention, pack old details, roll up what is old, and tidy indexes, in small steps."""
        days, rollup_days = await database.run(partial(days_kept, config=self._config)), self._config.rollup_days
        most, text = self._config.max_store_bytes, self._config.json_text
        steps: list[Callable[[sqlite3.Connection], int]] = []
        if days:
            steps.append(lambda connection: delete_step(connection, days))
        hours = self._config.details_hours
        if hours:
            steps.append(lambda connection: thin_step(connection, hours, max_samples))
        if rollup_days:
            steps.append(lambda connection: roll_up_step(connection, rollup_days, max_samples, json_text=text))
        if most:
            steps.append(lambda connection: shrink_step(connection, most))
        steps.append(lambda connection: tidy_step(connection, used_bytes(connection)))
        for step in steps:
            while True:
                started = time.monotonic()
                if not await database.run(partial(writer.forget_after, step)):
                    break
                # Half of the time is left to others: many small steps are done soon, and a slow disk is not pressed.
                await asyncio.sleep(time.monotonic() - started)


def _tell(config: SqliteConfig, days: int) -> None:
    if days:
        _log.info("rows are deleted %d days after they were stored; RETENTION_DAYS changes that", days)
    elif config.retention_days is None and not config.max_store_bytes:
        _log.info("no row is ever deleted: this file is from before the default; set RETENTION_DAYS")
