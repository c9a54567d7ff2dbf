"""How the SQLite file is opened, brought to the newest schema, and used from one thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from log_aggregator.errors import RetryableError
from log_aggregator.storekit.watch import FileWatch
from log_aggregator_sqlite.deflating import inflated

T = TypeVar("T")

REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeEncodeError)
"""What SQLite says to a value that it will never take."""

PAGE_BYTES = 2048
"""Of new files. A row of the last two days has about 3 kB, so that a page of SQLite's 4 kB holds only one."""

SWITCH_SECONDS = 5.0
"""How long a connection waits for another one that makes the file."""

KEY_BYTES = 8
"""Of a group key, which tells the groups of one pattern and bucket apart."""


class Database:
    """One connection to the file, owned by one thread. Calls wait in line for it, never on the loop.

    With `read_only` it never writes, and it does not wait for writers: that is what WAL is for.
    """

    def __init__(self, path: Path, busy_timeout: float, *, read_only: bool = False) -> None:
        self._path = path
        self._busy_timeout = busy_timeout
        self._read_only = read_only
        self._thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix=f"sqlite-{'read' if read_only else 'write'}"
        )
        self._connection: sqlite3.Connection | None = None
        self._watch = FileWatch(path)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` with the connection on its thread. Raises `RetryableError` for what SQLite cannot do now.

        When the caller is cancelled, work under way is finished first; reading is interrupted.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._guarded, work)
        except asyncio.CancelledError:
            if self._read_only and self._connection is not None:
                self._connection.interrupt()
            raise

    async def close(self) -> None:
        """Close the connection once the work under way is done."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            result = work(self._connected())
        except sqlite3.Error as error:
            self._disconnect()
            raise RetryableError(f"{self._path}: {error}{self._advice(error)}") from error
        if not self._read_only and (problem := self._watch.problem()):
            raise RetryableError(problem)
        return result

    def _advice(self, error: sqlite3.Error) -> str:
        """Ask the next start to read the whole file when SQLite finds it damaged."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return ""
        with suppress(OSError):
            marker_of(self._path).touch()
        return "; restart the service: it sets the damaged file aside and keeps what can be read"

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
            self._watch.reopened()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.create_function("folded", 1, _folded, deterministic=True)
            connection.create_function("inflated", 1, inflated, deterministic=True)
            migrate(connection)
            if self._read_only:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def use_wal(connection: sqlite3.Connection) -> None:
    """Write by a write-ahead log of about 4 MB. Files that are made by this get pages of `PAGE_BYTES`."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    _switch_to_wal(connection)
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute(f"PRAGMA wal_autocheckpoint = {4 * 1024 * 1024 // page_bytes}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Two connections that switch a new file at once hold each other up: SQLite tells one so, without a wait."""
    end = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.005)
        else:
            return


def marker_of(path: Path) -> Path:
    """The file that asks the next start to read the database whole, however large it is."""
    return path.with_name(f"{path.name}-suspect")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: committed and on disk when left, rolled back when an error leaves it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_taken(connection: sqlite3.Connection, work: Callable[[], None]) -> bool:
    """Do `work` inside a transaction; whether SQLite took it. What it refuses is undone, all of it."""
    connection.execute("SAVEPOINT trial")
    try:
        work()
    except REFUSALS:
        connection.execute("ROLLBACK TO trial")
        connection.execute("RELEASE trial")
        return False
    connection.execute("RELEASE trial")
    return True


def migrate(connection: sqlite3.Connection) -> None:
    """Run the numbered migrations that the file has not seen; `user_version` holds the last number."""
    scripts = sorted(
        (entry for entry in files(__package__).joinpath("migrations").iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    is_new, newest = _version(connection) == 0, int(scripts[-1].name[:4])
    for script in scripts:
        number = int(script.name[:4])
        if _version(connection) >= number:
            continue
        with transaction(connection):
            if _version(connection) < number:
                for statement in _statements(script.read_text()):
                    connection.execute(statement)
                if is_new and number == newest:
                    connection.execute("INSERT INTO store_facts VALUES ('made_with', ?)", (number,))
                connection.execute(f"PRAGMA user_version = {number}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _folded(text: str | None) -> str:
    return (text or "").casefold()
