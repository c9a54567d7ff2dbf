"""The embedded store: a sink that keeps aggregates in one SQLite file."""

from log_aggregator_sqlite.config import SqliteConfig
from log_aggregator_sqlite.sink import SqliteSink

__all__ = ["SqliteConfig", "SqliteSink"]
