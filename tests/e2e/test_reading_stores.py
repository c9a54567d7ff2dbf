"""What the stores answer: the same from SQLite and PostgreSQL, with aliases applied and pages that fit together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from log_aggregator import pattern_id
from log_aggregator.sinks import Alias, Anomaly
from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery, Store
from log_aggregator.storekit import CursorError
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_sqlite import SqliteSink
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import NOON, SECOND, Chain, aggregate, all_patterns, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]


class Stored(NamedTuple):
    sink: Any
    store: Store
    chain: Chain


@pytest.fixture(params=["sqlite", "postgres"])
async def stored(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stored]:
    """An empty store of either kind."""
    sink: Any = SqliteSink(SqliteSink.Config(rollup_days=0))
    if request.param == "postgres":
        dsn = request.getfixturevalue("postgres_dsn")
        sink = PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "rollup_days": 0}))
    async with hosted(sink, tmp_path) as host:
        stored = Stored(sink, host.store, Chain())
        await deliver(sink, stored.chain.flush())
        yield stored


async def test_an_empty_store_answers(stored: Stored) -> None:
    assert (await stored.store.patterns(PatternQuery())).patterns == []
    assert await stored.store.pattern("0" * 16) is None
    assert await stored.store.series(SeriesQuery(since=0, until=NOON * SECOND)) == []
    assert await stored.store.anomalies(AnomalyQuery()) == []
    assert (await stored.store.health()).reachable


async def test_a_row_tells_all_about_its_pattern(stored: Stored) -> None:
    await deliver(stored.sink, stored.chain.flush([
        aggregate("p", 3, at=10),
        aggregate("p", 2, at=400, level="ERROR", source="db", categories={"disk": 2}, tags={"slow": 1, "auth": 1}),
    ]))  # fmt: skip
    (row,) = await all_patterns(stored.store)
    assert (row.pattern_id, row.pattern, row.count) == (pattern_id("p"), "p", 5)
    assert (row.first_seen, row.last_seen) == ((NOON + 10) * SECOND, (NOON + 400) * SECOND)
    assert (row.levels, row.sources) == ({"INFO": 3, "ERROR": 2}, {"web": 3, "db": 2})
    assert (row.category, row.tags) == ("login", {"auth": 4, "slow": 1})
    assert row.samples == ["p at 400"]
    detail = await stored.store.pattern(row.pattern_id)
    assert detail is not None
    assert (detail.count, detail.levels, detail.samples) == (5, row.levels, ["p at 10", "p at 400"])
    assert detail.metadata["took"]["count"] == 5
    assert detail.metadata["took"]["numbers"]["unit"] == "s"


async def test_filters_select_rows(stored: Stored) -> None:
    await deliver(stored.sink, stored.chain.flush([
        aggregate("User {ID} Straße", 1, at=0),
        aggregate("100% of {PATH}_x", 2, at=300, level="ERROR"),
        aggregate("Disk full", 4, at=600, source="db", categories={"disk": 4}),
    ]))  # fmt: skip

    async def counts(**query: Any) -> list[int]:
        return sorted(row.count for row in await all_patterns(stored.store, **query))

    assert await counts() == [1, 2, 4]
    assert await counts(level="ERROR") == [2]
    assert await counts(source="db") == [4]
    assert await counts(category="disk") == [4]
    assert await counts(q="user {id}") == [1]
    assert await counts(q="100% of") == [2]
    assert await counts(q="%") == [2], "no wildcards"
    assert await counts(q="_") == [2], "no wildcards"
    assert await counts(since=(NOON + 300) * SECOND) == [2, 4]
    assert await counts(until=(NOON + 300) * SECOND) == [1]
    assert await counts(since=(NOON + 1) * SECOND, until=(NOON + 301) * SECOND) == [2]


@pytest.mark.parametrize("order", ["newest", "count"])
async def test_pages_fit_together(stored: Stored, order: Any) -> None:
    rows = [aggregate(f"pattern {n}", 1 + n % 4, at=n % 5) for n in range(250)]
    await deliver(stored.sink, stored.chain.flush(rows))
    found = await all_patterns(stored.store, order=order)
    assert len({row.pattern_id for row in found}) == len(found) == 250
    ranks = [row.count if order == "count" else row.last_seen for row in found]
    assert ranks == sorted(ranks, reverse=True)
    page = await stored.store.patterns(PatternQuery(limit=10, order=order))
    assert page.cursor is not None
    other = "count" if order == "newest" else "newest"
    for cursor in ("nonsense", "", "e30", page.cursor[:-3]):
        with pytest.raises(CursorError):
            await stored.store.patterns(PatternQuery(order=order, cursor=cursor))
    with pytest.raises(CursorError):
        await stored.store.patterns(PatternQuery(order=other, cursor=page.cursor))


async def test_aliases_make_one_pattern_of_several(stored: Stored) -> None:
    a, b, c = (pattern_id(name) for name in ("a", "b", "c"))
    await deliver(stored.sink, stored.chain.flush([aggregate("a", 1), aggregate("b", 2, at=1)], [Alias(a, "b", 5)]))
    assert [(row.pattern, row.count) for row in await all_patterns(stored.store)] == [("b", 3)]
    await deliver(stored.sink, stored.chain.flush([aggregate("c", 4, at=2)], [Alias(b, "c", 6)]))
    (row,) = await all_patterns(stored.store)
    assert (row.pattern_id, row.pattern, row.count) == (c, "c", 7)
    assert [found.count for found in await all_patterns(stored.store, q="c")] == [7]
    for earlier in (a, b, c):
        detail = await stored.store.pattern(earlier)
        assert detail is not None
        assert (detail.pattern_id, detail.pattern, detail.count, detail.aliases) == (c, "c", 7, sorted([a, b]))
    series = await stored.store.series(SeriesQuery(since=NOON * SECOND, until=(NOON + 300) * SECOND, pattern_id=a))
    assert [line.total for line in series] == [7]

    await deliver(stored.sink, stored.chain.flush([], [Alias(a, "z", 1)]))
    assert len(await all_patterns(stored.store)) == 1, "an older alias changes nothing"
    await deliver(stored.sink, stored.chain.flush([], [Alias(a, "", 7)]))
    assert {row.pattern: row.count for row in await all_patterns(stored.store)} == {"a": 1, "c": 6}
    await deliver(stored.sink, stored.chain.flush([], [Alias(c, "b", 8)]))
    assert {row.pattern: row.count for row in await all_patterns(stored.store)} == {"a": 1, "b": 6}, "a circle"


async def test_series_sum_to_the_counts(stored: Stored) -> None:
    rows = [aggregate(f"p{n % 3}", 1 + n, at=n * 300, level="ERROR" if n % 4 == 0 else "INFO") for n in range(24)]
    await deliver(stored.sink, stored.chain.flush(rows))
    window = {"since": NOON * SECOND, "until": (NOON + 24 * 300) * SECOND}
    (line,) = await stored.store.series(SeriesQuery(**window, step=3600))
    assert line.points == [(NOON, sum(range(1, 13))), (NOON + 3600, sum(range(13, 25)))]
    levels = await stored.store.series(SeriesQuery(**window, step=300, split_by="level"))
    assert [(one.name, one.total) for one in levels] == [("INFO", 234), ("ERROR", 66)]
    assert all(count > 0 for one in levels for _, count in one.points)
    (part,) = await stored.store.series(SeriesQuery(**window, pattern_id=pattern_id("p1"), level="INFO"))
    assert part.total == sum(1 + n for n in range(24) if n % 3 == 1 and n % 4)
    (half,) = await stored.store.series(SeriesQuery(since=(NOON + 3600) * SECOND, until=window["until"]))
    assert half.total == sum(range(13, 25))


async def test_anomalies_change_only_forward(stored: Stored) -> None:
    def anomaly(name: str, revision: int, **more: Any) -> Anomaly:
        given = {"state": "open", "started": NOON * SECOND, "updated": NOON * SECOND + revision, **more}
        return Anomaly(
            name, "spike", tier="notify", pattern_id=pattern_id("a"), pattern="a", level="INFO", source="web",
            score=0.5, revision=revision, details={"expected": [1, 2.5], "why": "ü"}, **given,
        )  # fmt: skip

    send = [anomaly("one", 1), anomaly("one", 3, state="resolved", resolved=NOON * SECOND + 9), anomaly("one", 2)]
    for item in send:
        await deliver(stored.sink, stored.chain.flush([], [], [item]))
    later = [anomaly("two", 0), anomaly("two", 1, started=(NOON + 5) * SECOND)]
    await deliver(stored.sink, stored.chain.flush([], [Alias(pattern_id("a"), "b", 1)], later))
    found = await stored.store.anomalies(AnomalyQuery())
    assert [(row["id"], row["revision"], row["state"]) for row in found] == [("two", 1, "open"), ("one", 3, "resolved")]
    assert found[1]["resolved"] == NOON * SECOND + 9
    assert found[1]["details"] == {"expected": [1, 2.5], "why": "ü"}
    assert set(found[0]) == set(Anomaly.__struct_fields__)
    assert [row["id"] for row in await stored.store.anomalies(AnomalyQuery(state="open"))] == ["two"]
    by_new_id = await stored.store.anomalies(AnomalyQuery(pattern_id=pattern_id("b")))
    assert len(by_new_id) == 2, "an anomaly of an earlier id belongs to the pattern too"
    assert await stored.store.anomalies(AnomalyQuery(source="db")) == []
    assert len(await stored.store.anomalies(AnomalyQuery(limit=1))) == 1
