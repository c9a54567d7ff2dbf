"""Questions that are limited to some sources are answered from these alone, by both stores alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery
from log_aggregator_postgres import PostgresSink
from log_aggregator_sqlite import SqliteConfig, SqliteSink
from tests.support.sinks import Chain, aggregate, deliver, hosted

SOURCES = {"shop": 1, "shop-web": 2, "shop-%": 4, "shopping": 8, "bank": 16, "": 32}


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
@pytest.mark.parametrize(
    ("allowed", "total"),
    [((), 63), (("shop",), 1), (("shop-*",), 6), (("shop", "shop-*", "bank"), 23), (("*",), 63), (("none", "%*"), 0)],
)
async def test_only_allowed_sources_are_counted(
    kind: str, allowed: tuple[str, ...], total: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    make: Callable[[], PostgresSink] | None = request.getfixturevalue("make_sink") if kind == "postgres" else None
    sink = make() if make is not None else SqliteSink(SqliteConfig())
    async with hosted(sink, tmp_path) as host:
        rows = [aggregate("{ID} came", count=count, source=source) for source, count in SOURCES.items()]
        await deliver(sink, Chain().flush(rows))
        store = host.store
        found = (await store.patterns(PatternQuery(sources=allowed))).patterns
        assert sum(row.count for row in found) == total
        (every,) = (await store.patterns(PatternQuery())).patterns
        detail = await store.pattern(every.pattern_id, sources=allowed)
        assert (detail.count if detail else 0) == total
        assert (sum(detail.sources.values()) if detail else 0) == total
        series = await store.series(SeriesQuery(since=0, until=2**52, step=86_400 * 365, sources=allowed))
        assert sum(one.total for one in series) == total
        assert await store.anomalies(AnomalyQuery(sources=allowed)) == []
