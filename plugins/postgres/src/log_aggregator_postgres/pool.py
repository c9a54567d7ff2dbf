"""The connections: opened when first needed, one transaction at a time each, closed after any error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from log_aggregator.errors import RetryableError
from log_aggregator_postgres.config import PostgresConfig
from log_aggregator_postgres.faults import OUT_OF_REACH, explain

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_log = logging.getLogger(__name__)

# asyncpg tells of every failed connection with a traceback; an outage is told once, by the lane.
logging.getLogger("asyncpg").setLevel(logging.ERROR)


class Pool:
    """Connections to one database. A server that is down is no error until a connection is asked for.

    Settings travel inside each transaction (`SET LOCAL`), so a pooler such as PgBouncer may hand out
    another server connection for the next one.
    """

    def __init__(self, config: PostgresConfig) -> None:
        self._config = config
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        # However many read, and however slowly: one connection is left to flushes, one to maintenance.
        self._readers = asyncio.Semaphore(max(1, config.pool_max - 2))
        self._warned = False
        self.server_version = ""
        statement, lock = int(config.statement_timeout * 1000), int(config.lock_timeout * 1000)
        idle = int(config.command_timeout * 2000)
        self._begin = (
            f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {statement}; "
            f"SET LOCAL lock_timeout = {lock}; SET LOCAL idle_in_transaction_session_timeout = {idle}; "
            "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction. Whatever raises closes it."""
        pool = await self._opened()
        connection = await pool.acquire(timeout=self._config.acquire_timeout)
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A write transaction, committed when left. Whatever raises closes the connection.

        When the commit itself raises, nobody knows whether it happened: read the progress back.
        """
        async with self.connection() as connection:
            await connection.execute(self._begin)
            yield connection
            done = await connection.execute("COMMIT")
            if done != "COMMIT":
                raise RetryableError("the transaction was rolled back by the server")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection to read from. Without prepared statements it is a transaction.

        A pooler may hand out another server connection between the parsing and the running of a statement,
        but not inside a transaction.
        """
        async with self._reader(), self.connection() as connection:
            if self._config.prepared_statements:
                yield connection
                return
            await connection.execute("BEGIN READ ONLY")
            yield connection
            await connection.execute("COMMIT")

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[None]:
        async with asyncio.timeout(self._config.acquire_timeout):
            await self._readers.acquire()
        try:
            yield
        finally:
            self._readers.release()

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        """Read some rows. Raises `RetryableError` when the database is out of reach."""
        try:
            async with self.reading() as connection:
                return await connection.fetch(sql, *values)
        except OUT_OF_REACH as error:
            raise RetryableError(explain(error)) from None

    async def write(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[asyncpg.Record]:
        """Run statements in one transaction; the rows of the last. Raises `RetryableError`, `ValueError` for a text
        that no database holds."""
        rows: list[asyncpg.Record] = []
        try:
            async with self.transaction() as connection:
                for sql, values in statements:
                    rows = await connection.fetch(sql, *values)
        except (asyncpg.DataError, UnicodeEncodeError) as error:
            raise ValueError(explain(error)) from None
        except OUT_OF_REACH as error:
            raise RetryableError(explain(error)) from None
        return rows

    def figures(self) -> dict[str, int]:
        """How many connections are open, idle and possible."""
        if self._pool is None:
            return {"open": 0, "idle": 0, "most": self._config.pool_max}
        return {"open": self._pool.get_size(), "idle": self._pool.get_idle_size(), "most": self._config.pool_max}

    async def close(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109  closing has two steps
        """Close all connections, at once when they do not finish in `timeout` seconds."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(timeout):
                await pool.close()
        except (TimeoutError, *OUT_OF_REACH):
            pool.terminate()

    async def _opened(self) -> asyncpg.Pool[asyncpg.Record]:
        if self._pool is not None:
            return self._pool
        async with self._opening:
            if self._pool is None:
                pool = asyncpg.create_pool(
                    min_size=self._config.pool_min,
                    max_size=self._config.pool_max,
                    init=self._greet,
                    reset=_leave_as_it_is,
                    **self._config.connect_arguments(),
                )
                async with asyncio.timeout(self._config.connect_timeout + self._config.command_timeout):
                    await pool
                self._pool = pool
            return self._pool

    async def _greet(self, connection: Connection) -> None:
        self.server_version = str(getattr(connection.get_settings(), "server_version", ""))
        if self._warned:
            return
        # A simple query in front keeps a pooler from changing the server connection, see `reading`.
        await connection.execute("BEGIN READ ONLY")
        row = await connection.fetchrow(
            "SELECT inet_client_addr() IS NOT NULL AND NOT inet_client_addr() <<= '127.0.0.0/8' "
            "AND inet_client_addr() <> '::1' AS remote, "
            "coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted"
        )
        await connection.execute("COMMIT")
        self._warned = True
        if row is not None and row["remote"] and not row["encrypted"]:
            _log.warning(
                "PostgreSQL is on another machine and reached without TLS: logs and the password's proof travel in "
                "the clear; set POSTGRES_SSLMODE=verify-full and POSTGRES_SSLROOTCERT"
            )


async def _leave_as_it_is(_connection: Any) -> None:
    """Nothing outlives a transaction here, so a returned connection needs no cleaning round trip."""
