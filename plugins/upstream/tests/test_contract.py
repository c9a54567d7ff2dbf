"""The sink passes the sink contract: what it has taken is in its file, once, sealed or not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import zstandard

from log_aggregator.sinks import Aggregate
from log_aggregator_dev import OpenSink, SinkContract
from log_aggregator_upstream import UpstreamConfig, UpstreamSink
from log_aggregator_upstream.delivery import decode
from log_aggregator_upstream.sink import FILE
from log_aggregator_upstream.store import read_gathered


class TestUpstream(SinkContract):
    def make_sink(self, directory: Path) -> UpstreamSink:
        self.directory = directory
        return UpstreamSink(UpstreamConfig(url="http://127.0.0.1:9", window=3600))

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        plain = zstandard.ZstdDecompressor().decompress
        stored: list[Aggregate] = []
        for path in self.directory.rglob(FILE):
            with closing(sqlite3.connect(path)) as connection:
                for row in connection.execute("SELECT payload FROM gathered"):
                    stored += read_gathered(plain(row[0])).aggregates
                for row in connection.execute("SELECT body FROM sealed"):
                    stored += decode(plain(row[0])).columns.aggregates()
        found: dict[str, int] = {}
        for aggregate in stored:
            found[aggregate.pattern] = found.get(aggregate.pattern, 0) + aggregate.count
        return found
