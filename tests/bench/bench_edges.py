"""Bytes that an edge sends, beside those of the same logs compressed: `python -m tests.bench.bench_edges`."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from log_aggregator_dev.harness import harness
from log_aggregator_service.demo import stream

BATCH = 1000
PIPELINE = """
[plugins.formats]

[plugins.redact]

[plugins.patterns]

[plugins.classify]

[plugins.upstream]
url = "http://127.0.0.1:9"
window = 86400
"""


class Measured(NamedTuple):
    """Bytes of one window: the deliveries of an edge, and its logs as bodies of gzip."""

    logs: int
    groups: int
    sent: int
    gzipped: int

    @property
    def factor(self) -> float:
        """How many times fewer bytes are sent."""
        return self.gzipped / self.sent


async def measure(logs: list[dict[str, Any]]) -> Measured:
    """Let an edge gather these logs in one window and seal it. The logs are compressed in one piece, at their best."""
    with tempfile.TemporaryDirectory() as directory:
        async with harness(PIPELINE, data_dir=Path(directory)) as edge:
            for start in range(0, len(logs), BATCH):
                answer = await edge.request("POST", "/ingest/batch", json={"logs": logs[start : start + BATCH]})
                assert answer.status == 202, answer
            await edge.flush()
            groups = (await edge.get("/stats"))["plugins"]["upstream"]["figures"]["waiting_groups"]
        with closing(sqlite3.connect(Path(directory) / "upstream.sqlite3")) as connection:
            sent = connection.execute("SELECT sum(length(body)) FROM sealed").fetchone()[0]
    gzipped = len(gzip.compress(b"\n".join(map(msgspec.json.encode, logs)), 6))
    return Measured(len(logs), groups, sent, gzipped)


def demo_logs(count: int) -> list[dict[str, Any]]:
    """`count` logs of the demo, as a client sends them."""
    return list(itertools.islice(stream(), count))


if __name__ == "__main__":
    for count in (300, 1_000, 10_000, 100_000):
        found = asyncio.run(measure(demo_logs(count)))
        sys.stdout.write(
            f"{count:>7} logs {found.groups:>5} groups {found.sent / count:6.2f} B sent, "
            f"{found.gzipped / count:6.2f} B gzip a log: {found.factor:.1f} times fewer\n"
        )
