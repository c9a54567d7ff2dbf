"""Rows of ten days ago, and the maintenance that makes them smaller."""

from __future__ import annotations

import time

import msgspec

from log_aggregator.model.aggregate import Aggregate
from log_aggregator_sqlite import SqliteSink
from tests.support.sinks import SECOND, Host, aggregate

HOUR = 3600
TEN_DAYS_AGO = int(time.time()) // HOUR * HOUR - 10 * 24 * HOUR


def old(pattern: str, at: int, count: int = 1) -> Aggregate:
    """A row of a moment, `at` seconds behind ten days ago."""
    moment = TEN_DAYS_AGO + at
    row = aggregate(pattern, count, at=at % 7)
    return msgspec.structs.replace(
        row, bucket=moment // 300 * 300, first_seen=moment * SECOND, last_seen=moment * SECOND + 5
    )


async def settle(sink: SqliteSink, host: Host, **options: object) -> None:
    """Run the maintenance once, with other options."""
    sink._config = sink._config.model_copy(update=options)
    assert sink._database is not None
    assert sink._writer is not None
    await sink.maintain_once(sink._database, sink._writer, host.settings.max_samples)
