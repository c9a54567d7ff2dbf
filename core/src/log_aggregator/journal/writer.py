"""Group commit: one thread owns the connection and commits all that waits in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from log_aggregator.journal.protocol import JournalError
from log_aggregator.storekit.watch import FileWatch

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]

_MOST_AT_ONCE = 512


class Writer:
    """Runs work on the journal's connection. What `run` returned is on disk."""

    def __init__(self, connection: sqlite3.Connection, watch: FileWatch | None = None) -> None:
        """`watch` tells whether the files were removed; it is asked at every commit."""
        self._connection = connection
        self._watch = watch
        self._waiting: queue.SimpleQueue[tuple[Work, asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
        self._thread.start()
        self.commits = 0
        self.commit_seconds = 0.0
        self.problem = ""
        """Why what is written is lost with the process: the files were removed. It can still be read, and stored."""
        self.failure = ""
        """Why the last transaction failed; empty again once something was written."""

    def submit(self, work: Callable[[sqlite3.Connection], Result]) -> asyncio.Future[Result]:
        """Queue `work(connection)`; the future has its result once the transaction is durable.

        Work must check before it writes: a `LogAggregatorError` that it raises fails only its own future, any
        SQLite error fails the whole transaction with `JournalError`.
        """
        future: asyncio.Future[Result] = self._loop.create_future()
        self._waiting.put((work, future))
        return future

    def close(self) -> None:
        """Finish what waits, close the connection and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        running = True
        while running:
            batch = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < _MOST_AT_ONCE:
                    batch.append(self._waiting.get_nowait())
            running = None not in batch
            todo = [item for item in batch if item is not None]
            if todo:
                self._commit(todo)
        self._connection.close()

    def _commit(self, todo: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        started = time.perf_counter()
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        written = self._connection.total_changes
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for work, future in todo:
                outcomes.append(_attempt(work, future, self._connection))
            self._connection.execute("COMMIT")
            if self._watch is not None:
                self.problem = self._watch.problem()
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            failure = JournalError(f"the journal cannot be written: {error}")
            outcomes = [(future, None, failure) for _, future in todo]
            self.failure = str(failure)
        else:
            if self._connection.total_changes > written:  # reading works on a full disk, too
                self.failure = ""
        self.commits += 1
        self.commit_seconds += time.perf_counter() - started
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(_resolve, outcomes)


def _attempt(work: Work, future: asyncio.Future[Any], connection: sqlite3.Connection) -> tuple[Any, Any, Any]:
    try:
        return future, work(connection), None
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001  belongs to whoever waits for this work
        return future, None, error


def _resolve(outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
