"""What both stores must answer to a person on call: searches, marks, triage, comparisons."""

from __future__ import annotations

from typing import Any

import pytest

from log_aggregator import pattern_id
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize
from log_aggregator.oncall import CompareQuery, Mark, MarkQuery, OnCallStore, Triage, TriageChange, ValuesQuery
from log_aggregator.search import SearchError
from log_aggregator.sinks import Aggregate, Alias
from log_aggregator.store import PatternQuery, SeriesQuery
from tests.support.sinks import NOON, SECOND, Chain, deliver

BUCKET = 300
MINUTE = 60 * SECOND
AT = NOON * SECOND


def row(
    pattern: str,
    count: int = 10,
    *,
    minute: int = 0,
    level: str = "INFO",
    source: str = "web",
    category: str = "",
    metadata: Any = (),
    sample: str = "",
    minutes: tuple[int, ...] = (),
) -> Aggregate:
    """Logs of one minute after noon, or of several where `minutes` says so."""
    bucket = (NOON + minute * 60) // BUCKET * BUCKET
    first = (NOON + minute * 60) * SECOND
    last = bucket * SECOND + len(minutes) * MINUTE - 1 if minutes else first + 59 * SECOND
    at = [0] * ((NOON + minute * 60 - bucket) // 60)
    return Aggregate(
        bucket, pattern, level, source, count, first, last, "", summarize(metadata),
        Samples((sample or pattern,), 0), {category: count} if category else {}, {}, minutes or (*at, count),
    )  # fmt: skip


ROWS = (
    row(
        "Payment of {AMOUNT} refused",
        7,
        level="ERROR",
        source="payment",
        category="billing",
        sample="Payment of 9 EUR refused for ORD-4711",
        metadata=[{"region": "eu", "odd key": "x y"}] * 7,
    ),
    row("Payment of {AMOUNT} done", 90, source="payment", category="billing", metadata=[{"region": "us"}] * 9),
    row("User {ID} logged in", 30, minute=60, source="auth", sample='User "anna" logged in\nfrom ORD-4711'),
    row("Straße gesperrt: 100%_sure", 3, minute=100, level="WARN", source="shop-1"),
    row("old words here", 5, minute=2, source="shop-2"),
)

REFUSED, DONE, USER, STREET, OLD = (pattern_id(one.pattern) for one in ROWS)

SEARCHES: dict[str, set[str]] = {
    "": {REFUSED, DONE, USER, STREET, OLD},
    "payment": {REFUSED, DONE},
    "PAYMENT refused": {REFUSED},
    '"payment of"': {REFUSED, DONE},
    '"of payment"': set(),
    "payment -refused": {DONE},
    "level:error": {REFUSED},
    "level:err,warning": {REFUSED, STREET},
    "-level:info": {REFUSED, STREET},
    "source:auth": {USER},
    "source:shop-*": {STREET, OLD},
    "-source:shop-* -source:payment": {USER},
    "category:billing": {REFUSED, DONE},
    "-category:billing": {USER, STREET, OLD},
    f"id:{USER}": {USER},
    f"id:{USER},{OLD}": {USER, OLD},
    f"-id:{USER} source:auth": set(),
    "meta.region:eu": {REFUSED},
    "meta.region:eu,us": {REFUSED, DONE},
    '"meta.region:eu"': set(),
    "-meta.region:eu source:payment": {DONE},
    "meta.region:x": set(),
    "ord-4711": {REFUSED, USER},
    '"\\"anna\\" logged"': {USER},
    "ord-4711 -anna": {REFUSED},
    "straße 100%_sure": {STREET},
    f"id:{pattern_id('before old words')}": {OLD},
    "old words": {OLD},
    "seen:<999999h": {REFUSED, DONE, USER, STREET, OLD},
}


async def fill(sink: Any) -> None:
    """Store the rows that are searched; `before old words` is an earlier pattern of `old words here`."""
    chain = Chain()
    await deliver(sink, chain.flush([*ROWS, row("before old words", 1, minute=3, source="shop-2")]))
    await deliver(sink, chain.flush(aliases=[Alias(pattern_id("before old words"), "old words here", 1)]))


async def check_searches(store: Any) -> None:
    """Every search finds its patterns, with the counts of all their rows."""
    for text, expected in SEARCHES.items():
        page = await store.patterns(PatternQuery(q=text or None))
        assert {one.pattern_id for one in page.patterns} == expected, text
    (old,) = (await store.patterns(PatternQuery(q="old"))).patterns
    assert (old.count, old.levels, old.sources) == (6, {"INFO": 6}, {"shop-2": 6})
    paged, cursor = [], None
    while True:
        page = await store.patterns(PatternQuery(q="-level:error ord-4711 seen:<999999h", limit=1, cursor=cursor))
        paged += [one.pattern_id for one in page.patterns]
        cursor = page.cursor
        if cursor is None:
            break
    assert paged == [USER]
    found = (await store.patterns(PatternQuery(ids=(USER, OLD), not_ids=(OLD,)))).patterns
    assert [one.pattern_id for one in found] == [USER]
    assert (await store.patterns(PatternQuery(ids=()))).patterns == []
    assert (await store.patterns(PatternQuery(q="ord-4711", sources=("auth",)))).patterns[0].pattern_id == USER
    assert (await store.patterns(PatternQuery(q="9 EUR", sources=("auth",)))).patterns == []
    with pytest.raises(SearchError, match=r"^column 11: "):
        await store.patterns(PatternQuery(q="abc level:"))


async def check_searched_series(store: Any) -> None:
    """Counts over time of what a search finds are those of its patterns, whatever the step."""
    day = {"since": AT - 3600 * SECOND, "until": AT + 86_400 * SECOND}
    for search in SEARCHES:
        if search:
            page = await store.patterns(PatternQuery(q=search, limit=100))
            for step in (60, 300, 3600):
                series = await store.series(SeriesQuery(**day, step=step, q=search))
                assert sum(one.total for one in series) == sum(row.count for row in page.patterns), (search, step)
    (line,) = await store.series(SeriesQuery(**day, step=60, q="payment refused", source="payment"))
    assert line.points == [(NOON, 7)]
    with pytest.raises(SearchError):
        await store.series(SeriesQuery(**day, q='"open'))


async def check_values(store: Any) -> None:
    """Logs and errors by the value of a key, over all patterns that may be seen."""
    found = await store.values(ValuesQuery(key="region"))
    assert (found.logs, found.errors, found.complete, found.distinct) == (16, 7, True, 2)
    shown = [(one.value, one.logs, one.errors, one.error_share, one.patterns) for one in found.values]
    assert shown == [("us", 9, 0, 0.0, 1), ("eu", 7, 7, 1.0, 1)]
    assert (await store.values(ValuesQuery(key="odd key"))).values[0].value == "x y"
    assert (await store.values(ValuesQuery(key="region", q="payment done"))).logs == 9
    assert (await store.values(ValuesQuery(key="region", level="ERROR", limit=1))).distinct == 1
    for nothing in ({"key": "regio"}, {"key": "region", "kind": "var"}, {"key": "region", "sources": ("auth",)}):
        assert (await store.values(ValuesQuery.model_validate(nothing))).values == [], nothing
    with pytest.raises(SearchError):
        await store.values(ValuesQuery(key="region", q="level:"))


async def check_marks(store: OnCallStore) -> None:
    """Marks are kept, found by time and slug, newest first, and forgotten."""
    for number, slug in enumerate(("deploy-1", "deploy-2", "deploy-1")):
        await store.add_mark(
            Mark(id=f"m{number}", slug=slug, title=f"Deploy {number} ⚑", at=AT + number * MINUTE, by="ci")
        )
    found = await store.marks(MarkQuery())
    assert [mark.id for mark in found] == ["m2", "m1", "m0"]
    assert found[1] == Mark(id="m1", slug="deploy-2", title="Deploy 1 ⚑", at=AT + MINUTE, by="ci")
    assert [mark.id for mark in await store.marks(MarkQuery(slug="deploy-1", limit=1))] == ["m2"]
    assert [mark.id for mark in await store.marks(MarkQuery(since=AT + MINUTE, until=AT + 2 * MINUTE))] == ["m1"]
    assert await store.remove_mark("m1")
    assert not await store.remove_mark("m1")
    assert len(await store.marks(MarkQuery())) == 2


async def check_triage(store: OnCallStore, sink: Any) -> None:
    """Triage is kept with its history, and follows a pattern to its newest id."""
    assert await store.triage() == {}
    old, new = pattern_id("told {A}"), pattern_id("told {A} anew")
    first = await store.change_triage(
        old, TriageChange(at=AT, by="anna", fields={"state": "acknowledged", "note": "it's ours"})
    )
    assert first == Triage(pattern_id=old, state="acknowledged", note="it's ours", changed_at=AT, changed_by="anna")
    muted = {"state": "muted", "mute_times": 3.0, "mute_rate": 12.5, "muted_until": AT + MINUTE}
    second = await store.change_triage(old, TriageChange(at=AT + 1, by="ben", fields=muted))
    assert (second.note, second.mute_times, second.muted_until) == ("it's ours", 3.0, AT + MINUTE)
    assert (await store.triage(old)) == {old: second}
    await deliver(sink, Chain("other").flush([row("told {A} anew")], aliases=[Alias(old, "told {A} anew", 1)]))
    assert (await store.triage()) == {new: second.model_copy(update={"pattern_id": new})}
    await store.change_triage(old, TriageChange(at=AT + 2, by="cleo", fields={"state": "open", "owner": "shop team"}))
    assert (await store.triage(new))[new].owner == "shop team"
    history = await store.triage_history(new)
    assert [(one.at, one.by) for one in history] == [(AT + 2, "cleo"), (AT + 1, "ben"), (AT, "anna")]
    assert history[1].fields == muted
    assert await store.triage("0" * 16) == {}


async def check_comparison(store: OnCallStore, sink: Any) -> None:
    """Counts of both spans are exact to the minute, and each kind of change is found."""
    chain = Chain("compared")
    steady = [row(f"steady {n}", 100 + n, minute=m) for n in range(30) for m in (0, 60)]
    changed = [
        row("both", 300, minute=3, minutes=(0, 0, 0, 100, 200)),
        row("both", 300, minute=60),
        row("grown", 30, minute=0, level="WARN"), row("grown", 120, minute=60, level="WARN"),
        row("shrunk", 120, minute=0), row("shrunk", 20, minute=60),
        row("gone", 40, minute=0),
        row("fresh", 15, minute=60, level="ERROR", sample="fresh as it was written"),
        row("worse", 100, minute=0), row("worse", 60, minute=60), row("worse", 45, minute=60, level="ERROR"),
        row("valued", 200, minute=0, metadata=[{"region": "eu" if n % 20 else "us"} for n in range(200)]),
        row("valued", 200, minute=60, metadata=[{"region": "eu" if n % 3 else "us"} for n in range(200)]),
    ]  # fmt: skip
    await deliver(sink, chain.flush(steady + changed))
    spans = {"before_since": AT, "before_until": AT + 30 * MINUTE, "since": AT + 60 * MINUTE, "until": AT + 90 * MINUTE}
    found = await store.compare(CompareQuery(**spans))
    names = {name: [change.pattern for change in getattr(found, name)] for name in found.found}
    assert names == {
        "new": ["fresh"], "gone": ["gone"], "more": ["grown"], "less": ["shrunk"], "levels": ["worse"],
        "values": ["valued"],
    }  # fmt: skip
    assert found.values_complete
    assert found.traffic == pytest.approx(1.0, abs=0.05)
    fresh, moved, worse = found.new[0], found.values[0], found.levels[0]
    assert (fresh.before, fresh.after, fresh.level, fresh.samples) == (0, 15, "ERROR", ["fresh as it was written"])
    assert fresh.first_seen == AT + 60 * MINUTE
    assert (moved.kind, moved.key, moved.value) == ("metadata", "region", "us")
    assert (moved.share_before, moved.share_after) == (0.05, pytest.approx(0.335))
    assert (worse.value, worse.share_before, worse.share_after) == ("ERROR", 0.0, pytest.approx(0.4286))
    halved = await store.compare(CompareQuery(**{**spans, "before_until": AT + 4 * MINUTE, "q": "both"}))
    assert (halved.logs_before, halved.logs_after, halved.compared) == (100, 300, 1)
    assert (await store.compare(CompareQuery(**spans, level="ERROR"))).logs_after == 60
    assert (await store.compare(CompareQuery(**spans, sources=("other",)))).compared == 0
    await deliver(sink, chain.flush([row("fresh", 15, minute=61, source="other", sample="not for all")]))
    bound = await store.compare(CompareQuery(**spans, sources=("web",)))
    assert bound.new[0].samples == ["fresh as it was written"]
    nothing = await store.compare(CompareQuery(before_since=0, before_until=MINUTE, since=MINUTE, until=2 * MINUTE))
    assert (nothing.compared, sum(nothing.found.values())) == (0, 0)
