"""How a store's answer is compared with the model's: what must be equal, and what may differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from log_aggregator.model.aggregate import Flush
from log_aggregator.store import PatternDetail, PatternQuery, SeriesQuery, Store
from log_aggregator.storekit import MemoryAnswers

MAX_SAMPLES = 5


def model_of(flushes: Iterable[Flush]) -> MemoryAnswers:
    """A model that holds these flushes."""
    model = MemoryAnswers(MAX_SAMPLES)
    for flush in flushes:
        model.add(flush)
    return model


async def asked_of(store: Store, model: MemoryAnswers, query: Any) -> None:
    """Ask both, and compare. Raises `AssertionError`."""
    if isinstance(query, PatternQuery):
        page, expected_page = await store.patterns(query), model.patterns(query)
        what = f"patterns({_asked(query)})"
        compared(what, _by_id(page.patterns), _by_id(expected_page.patterns))
        for row in page.patterns:
            assert row.samples, f"{what}: {row.pattern!r} has no samples"
            assert all(text.startswith(_own_text(model, row.pattern_id)) for text in row.samples), (
                f"{what}: {row.pattern!r} has samples of others: {row.samples}"
            )
    elif isinstance(query, SeriesQuery):
        found, expected = await store.series(query), model.series(query)
        if query.split_by is None and len(found) == len(expected) == 1:
            found = [found[0].model_copy(update={"name": expected[0].name})]
        plain = [[_plain_series(one) for one in answer] for answer in (found, expected)]
        compared(f"series({_asked(query)})", plain[0], plain[1])
    else:
        plain = [
            [_plain_anomaly(one) for one in answer] for answer in (await store.anomalies(query), model.anomalies(query))
        ]
        compared(f"anomalies({_asked(query)})", plain[0], plain[1])


def compared(what: str, found: Any, expected: Any) -> None:
    """Raise `AssertionError` with the first difference of two answers."""
    difference = _difference(found, expected)
    assert not difference, f"{what}{difference}"


def shown(detail: PatternDetail | None) -> Any:
    """What must be equal of a pattern's details: of summaries, how many logs had each key."""
    if detail is None:
        return None
    plain = detail.model_dump(exclude={"metadata", "variables", "samples", "sample_logs", "tags", "aliases"})
    return plain | {
        "metadata": {key: value["count"] for key, value in (detail.metadata or {}).items()},
        "variables": {key: value["count"] for key, value in (detail.variables or {}).items()},
        "samples": sorted(detail.samples),
        "sample_logs": sorted((log.time, log.message, log.level, log.source) for log in detail.sample_logs),
        "sample_metadata": {log.message: log.metadata for log in detail.sample_logs},
        "tags": dict(detail.tags),
        "aliases": sorted(detail.aliases),
    }


def _own_text(model: MemoryAnswers, pattern_id: str) -> tuple[str, ...]:
    """How the samples of a pattern begin: with the pattern as it was when they came."""
    detail = model.pattern(pattern_id)
    return tuple(sample.rpartition(" at ")[0] for sample in detail.samples) if detail else ()


def _by_id(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.pattern_id: row.model_dump(exclude={"samples"}) for row in rows}


def _plain_series(one: Any) -> dict[str, Any]:
    return {"name": one.name, "total": one.total, "points": [tuple(point) for point in one.points if point[1]]}


def _plain_anomaly(one: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in one.items()}


def _asked(query: Any) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in query.model_dump(exclude_defaults=True).items())


def _difference(found: Any, expected: Any, place: str = "") -> str:
    """Where two answers differ first, and how; empty where they do not."""
    if isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            return f"{place}: {len(found)} entries, expected {len(expected)}: {found!r:.300}"
        found, expected = dict(enumerate(found)), dict(enumerate(expected))
    if not (isinstance(found, dict) and isinstance(expected, dict)):
        return "" if found == expected else f"{place}: {found!r:.200}, expected {expected!r:.200}"
    for key in [*expected, *found]:
        if key not in found or key not in expected:
            return f"{place}: {'missing' if key in expected else 'too much'}: {key!r}"
        if difference := _difference(found[key], expected[key], f"{place}[{key!r}]"):
            return difference
    return ""
