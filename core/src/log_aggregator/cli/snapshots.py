"""One moment of several databases: the journals and the stores that they fill, while a service writes them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from log_aggregator.cli.databases import Database
from log_aggregator.errors import ConfigError
from log_aggregator.journal.lanes import Lanes, lanes_of

_TRIES = 200
_PAUSE = 0.02


@contextmanager
def one_moment(databases: list[Database]) -> Iterator[list[sqlite3.Connection]]:
    """A read transaction on each, such that what a store holds is what its journal says of it.

    A store is written first, and then the journal is told: a moment between two flushes is waited for. Raises
    `ConfigError` when there is none.
    """
    for _ in range(_TRIES):
        with ExitStack() as open_files:
            connections = [open_files.enter_context(closing(_reading(one.path))) for one in databases]
            lanes = [lanes_of(c) for c, one in zip(connections, databases, strict=True) if one.is_journal]
            stores = [
                (one, c) for c, one in zip(connections, databases, strict=True) if not one.is_journal and _begin(c)
            ]
            wrong = [f"{one.path.name}" for one, c in stores if not all(fits(c, each) for each in lanes)]
            if not wrong:
                yield connections
                return
        time.sleep(_PAUSE)
    raise ConfigError(
        f"{', '.join(wrong)}: holds flushes that the journal does not know: it was restored, or belongs to another "
        "data directory; see `log-aggregator sqlite progress`"
    )


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)
    connection.execute("BEGIN")
    return connection


def _begin(connection: sqlite3.Connection) -> bool:
    """Take the snapshot; whether it is a store that moves its progress together with its rows."""
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'flush_progress'"
    return bool(connection.execute(query).fetchone()[0])


def fits(store: sqlite3.Connection, lanes: Lanes) -> bool:
    """Whether the store's progress of the journal's instance is one that a lane goes on from without doubt."""
    found = store.execute("SELECT epoch, sequence FROM flush_progress WHERE instance = ?", (lanes.instance,)).fetchone()
    return found is None or not lanes.positions or tuple(found) in lanes.positions
