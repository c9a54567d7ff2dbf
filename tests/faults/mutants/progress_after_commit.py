"""The service with a bug put in on purpose: the store moves its progress in a transaction of its own."""

from __future__ import annotations

import sqlite3
import sys

from window import wait_to_be_killed

from log_aggregator.cli.main import main
from log_aggregator.sinks import Flush, Position
from log_aggregator_sqlite import writer

_store = writer.Writer.store
_move = writer._move_progress


def store_then_move(self: writer.Writer, connection: sqlite3.Connection, flush: Flush) -> int:
    progress = writer.read_progress(connection, flush.instance)
    set_aside = _store(self, connection, flush)
    if progress != flush.position:
        wait_to_be_killed()
        _move(connection, flush, progress)
    return set_aside


def _not_now(_: sqlite3.Connection, __: Flush, ___: Position | None) -> None:
    return None


writer._move_progress = _not_now
writer.Writer.store = store_then_move  # type: ignore[method-assign]
sys.exit(main())
