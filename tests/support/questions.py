"""Every question of a store that has a pattern or a time range, asked of a table in which an index pays."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from log_aggregator import pattern_id
from log_aggregator.oncall import CompareQuery
from log_aggregator.sinks import Alias, Anomaly
from log_aggregator.store import AnomalyQuery, PatternPage, PatternQuery, SeriesQuery
from log_aggregator.storekit import OnCallQuestions
from tests.support.sinks import NOON, SECOND, Chain, aggregate, deliver

PATTERNS, ROWS, STEP = 400, 20_000, 150
ENDED_ROWS = 2_000
ROWS_OF_ONE = ROWS // PATTERNS
GONE = 3_000
"""Aliases whose rows are deleted: with them, an index pays for aliases too."""

END = (NOON + ROWS * STEP) * SECOND
LAST_HOUR = {"since": END - 3600 * SECOND, "until": END}
FIRST_HOUR = {"since": NOON * SECOND, "until": (NOON + 3600) * SECOND}
ALWAYS = {"since": NOON * SECOND, "until": END}
MERGED, CHAINED, TAKEN_BACK, PLAIN, ENDED = (
    pattern_id(pattern) for pattern in ("merged", "p 3", "p 4", "p 7", "ended")
)

QUESTIONS: dict[str, Callable[[OnCallQuestions], Awaitable[Any]]] = {
    "patterns since": lambda store: store.patterns(PatternQuery(since=LAST_HOUR["since"])),
    "patterns of a range": lambda store: store.patterns(PatternQuery(**LAST_HOUR)),
    "patterns of a range, by count": lambda store: store.patterns(PatternQuery(order="count", **LAST_HOUR)),
    "patterns of a range and level": lambda store: store.patterns(PatternQuery(level="INFO", **LAST_HOUR)),
    "patterns of a range and source": lambda store: store.patterns(PatternQuery(source="web", **LAST_HOUR)),
    "patterns of a range and category": lambda store: store.patterns(PatternQuery(category="login", **LAST_HOUR)),
    "patterns of a range by text": lambda store: store.patterns(PatternQuery(q="MERGED", **LAST_HOUR)),
    "patterns of a range by a search": lambda store: store.patterns(
        PatternQuery(q="level:error -other source:web var.ID:7", **LAST_HOUR)
    ),
    "patterns by id": lambda store: store.patterns(PatternQuery(q=f"id:{CHAINED}", **LAST_HOUR)),
    "comparison": lambda store: store.compare(
        CompareQuery(before_since=LAST_HOUR["since"] - 3600 * SECOND, before_until=LAST_HOUR["since"], **LAST_HOUR)
    ),
    "patterns until": lambda store: store.patterns(PatternQuery(until=FIRST_HOUR["until"])),
    "pattern": lambda store: store.pattern(PLAIN),
    "pattern of aliases": lambda store: store.pattern(MERGED),
    "pattern by an earlier id": lambda store: store.pattern(CHAINED),
    "pattern of an alias taken back": lambda store: store.pattern(TAKEN_BACK),
    "pattern that ended": lambda store: store.pattern(ENDED),
    "series of a range": lambda store: store.series(SeriesQuery(**LAST_HOUR)),
    "series of a range and level": lambda store: store.series(SeriesQuery(level="INFO", **LAST_HOUR)),
    "series of a range and source": lambda store: store.series(SeriesQuery(source="web", **LAST_HOUR)),
    "series of a range by level": lambda store: store.series(SeriesQuery(split_by="level", **LAST_HOUR)),
    "series of a pattern": lambda store: store.series(SeriesQuery(pattern_id=MERGED, **ALWAYS)),
    "series of a pattern and level": lambda store: store.series(SeriesQuery(pattern_id=MERGED, level="INFO", **ALWAYS)),
    "series of a pattern in a range": lambda store: store.series(SeriesQuery(pattern_id=CHAINED, **LAST_HOUR)),
    "anomalies since": lambda store: store.anomalies(AnomalyQuery(since=LAST_HOUR["since"])),
    "anomalies until": lambda store: store.anomalies(AnomalyQuery(until=FIRST_HOUR["until"])),
    "anomalies of a range": lambda store: store.anomalies(AnomalyQuery(**FIRST_HOUR)),
    "anomalies of a pattern": lambda store: store.anomalies(AnomalyQuery(pattern_id=MERGED)),
}
each_question = pytest.mark.parametrize("question", list(QUESTIONS))


class Asked(NamedTuple):
    """An answer, and each query that was sent for it with its plan."""

    answer: Any
    plans: list[tuple[str, Any]]


class Observed(NamedTuple):
    """What became of each of `QUESTIONS`, and the patterns of all time, from the summary and from the rows."""

    now: dict[str, Asked]
    of_summary: list[PatternPage]
    of_rows: list[PatternPage]


async def fill(sink: Any) -> None:
    """Store a month of many patterns; some are merged, one at the end of a chain, and one of these is taken back."""
    chain = Chain()
    rows = [
        aggregate(f"p {n % PATTERNS}", at=n * STEP, level="INFO" if n % 9 else "ERROR", source="web" if n % 5 else "db")
        for n in range(ROWS)
    ]
    rows += [aggregate("ended", at=n * STEP) for n in range(ENDED_ROWS)]
    for start in range(0, len(rows), 4000):
        await deliver(sink, chain.flush(rows[start : start + 4000]))
    merges = [("p 1", "merged", 1), ("p 2", "merged", 1), ("p 3", "p 2", 1), ("p 4", "merged", 1), ("p 4", "p 4", 2)]
    merges += [(f"gone {n}", f"gone for {n % 1000}", 1) for n in range(GONE)]
    aliases = [Alias(pattern_id(old), new, at) for old, new, at in merges]
    await deliver(sink, chain.flush(aliases=aliases, anomalies=[anomaly(n) for n in range(ROWS // 10)]))


def anomaly(number: int) -> Anomaly:
    """One of many anomalies, each a minute long."""
    pattern, started = f"p {number % PATTERNS}", (NOON + number * 10 * STEP) * SECOND
    return Anomaly(
        str(number), "spike", "resolved", "notify", pattern_id(pattern), pattern, "INFO", "web", started,
        started + 60 * SECOND, 0.5, 1,
    )  # fmt: skip


async def observe(store: OnCallQuestions, explain: Callable[[str, list[Any]], Awaitable[Any]]) -> Observed:
    """Ask everything, and `explain` what was sent."""
    filters: list[dict[str, Any]] = [
        {}, {"order": "count"}, {"level": "ERROR"}, {"source": "db", "order": "count"}, {"category": "login"},
        {"q": "MERG"}, {"q": "level:error source:w* p -merged"}, {"q": f"id:{CHAINED} seen:<1h -level:error"},
        {"ids": (MERGED, PLAIN)}, {"not_ids": (PLAIN,), "q": "category:login"}, {"limit": 7},
    ]  # fmt: skip
    of_summary = [await store.patterns(PatternQuery(**one)) for one in filters]
    of_rows = [await store.patterns(PatternQuery(since=0, **one)) for one in filters]
    cursor = of_summary[-1].cursor
    of_summary.append(await store.patterns(PatternQuery(limit=7, cursor=cursor)))
    of_rows.append(await store.patterns(PatternQuery(limit=7, cursor=cursor, since=0)))
    return Observed(await _ask_all(store, explain), of_summary, of_rows)


async def _ask_all(store: OnCallQuestions, explain: Callable[[str, list[Any]], Awaitable[Any]]) -> dict[str, Asked]:
    asked, fetch = {}, store._fetch
    for name, question in QUESTIONS.items():
        sent: list[tuple[str, list[Any]]] = []

        async def recorded(sql: str, values: list[Any], sent: list[Any] = sent) -> Any:
            sent.append((sql, values))
            return await fetch(sql, values)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "_fetch", recorded)
            answer = await question(store)
        asked[name] = Asked(answer, [(sql, await explain(sql, values)) for sql, values in sent])
    return asked


def tables_of(sql: str) -> set[str]:
    """The tables that a query reads by its conditions. Of joined aliases, the database may read all at once.

    So it may of `pattern_totals` and `pattern_levels`, which do not grow with time.
    """
    names = "aggregated_logs|log_anomalies|pattern_aliases|pattern_hours|pattern_details|source_hours"
    return set(re.findall(rf"FROM ({names})\b", sql))


def check_answers(observed: Observed) -> None:
    """The summary says what the rows say, and aliases are applied."""
    assert observed.of_summary[0].patterns
    for of_summary, of_rows in zip(observed.of_summary, observed.of_rows, strict=True):
        # Tags and samples are of the latest rows: of a pattern with many, not all of them.
        few = [{"tags", "samples"} if row.count > 200 else set() for row in of_summary.patterns]
        shown = [row.model_dump(exclude=left) for row, left in zip(of_summary.patterns, few, strict=True)]
        assert shown == [row.model_dump(exclude=left) for row, left in zip(of_rows.patterns, few, strict=True)]
        assert of_summary.cursor == of_rows.cursor
    answers = {name: asked.answer for name, asked in observed.now.items()}
    merged, taken_back = answers["pattern of aliases"], answers["pattern of an alias taken back"]
    assert answers["pattern by an earlier id"] == merged
    assert merged.aliases == sorted(pattern_id(pattern) for pattern in ("p 1", "p 2", "p 3"))
    assert merged.count == sum(merged.levels.values()) == merged.tags["auth"] == 3 * ROWS_OF_ONE
    assert (taken_back.pattern, taken_back.aliases) == ("p 4", [])
    assert taken_back.count == sum(taken_back.levels.values()) == taken_back.tags["auth"] == ROWS_OF_ONE
