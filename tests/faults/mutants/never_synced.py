"""The service with a bug put in on purpose: its journal is never synced."""

from __future__ import annotations

import sqlite3
import sys

from log_aggregator.cli.main import main
from log_aggregator.journal import database

_prepare = database._prepare


def without_sync(connection: sqlite3.Connection) -> database.Identity:
    identity = _prepare(connection)
    connection.execute("PRAGMA synchronous = OFF")
    return identity


database._prepare = without_sync
sys.exit(main())
