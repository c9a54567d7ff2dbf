"""The PostgreSQL store: a sink that keeps aggregates in a database, exactly once, through every outage."""

from log_aggregator_postgres.config import PostgresConfig
from log_aggregator_postgres.sink import PostgresSink

__all__ = ["PostgresConfig", "PostgresSink"]
