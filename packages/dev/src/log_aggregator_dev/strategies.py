"""Hypothesis strategies for records, aggregates and flushes. Needs `pip install hypothesis`."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from log_aggregator.model.aggregate import Aggregate, Flush
from log_aggregator.model.record import LEVELS, Record
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize
from log_aggregator_dev.factories import BUCKET, NOW, make_flush

_DAY = 86_400_000_000


def texts(most: int = 200) -> SearchStrategy[str]:
    """Any text that can reach a plugin, up to `most` characters: everything but lone surrogates."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=most)


def timestamps() -> SearchStrategy[int]:
    """Microseconds since the epoch, within a day of `factories.NOW`."""
    return st.integers(NOW - _DAY, NOW + _DAY)


def metadata() -> SearchStrategy[dict[str, object]]:
    """Metadata of one log: flat or nested JSON."""
    scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts(40)
    values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | _objects(inner), max_leaves=6)
    return _objects(values)


def records(messages: SearchStrategy[str] | None = None) -> SearchStrategy[Record]:
    """Records as `on_ingest` gets them; `messages` narrows what they say."""
    return st.builds(
        Record,
        message=messages or texts().filter(bool),
        level=st.sampled_from(LEVELS),
        source=texts(30).filter(bool),
        timestamp=timestamps(),
        metadata=metadata(),
        level_is_explicit=st.booleans(),
        pattern=st.just(""),
        category=st.just(""),
        tags=st.just(()),
    )


def aggregates(patterns: SearchStrategy[str] | None = None) -> SearchStrategy[Aggregate]:
    """Aggregates with sound totals: at least one log, first seen before last seen, within its bucket."""
    return st.builds(
        _aggregate, patterns or texts(), st.integers(1, 2**40), timestamps(), st.lists(metadata(), max_size=3)
    )


def flushes(most: int = 20) -> SearchStrategy[Flush]:
    """First flushes of an instance, with up to `most` aggregates of distinct keys."""
    unique = st.lists(aggregates(), max_size=most, unique_by=lambda aggregate: aggregate.key)
    return st.builds(make_flush, unique)


def _objects(values: SearchStrategy[object]) -> SearchStrategy[dict[str, object]]:
    return st.dictionaries(texts(20), values, max_size=4)


def _aggregate(pattern: str, count: int, at: int, logs: list[dict[str, object]]) -> Aggregate:
    state = random.getstate()
    random.seed(0)  # a summary draws; what Hypothesis makes must be the same again
    try:
        summary = summarize(logs)
    finally:
        random.setstate(state)
    return Aggregate(
        bucket=at // 1_000_000 // BUCKET * BUCKET,
        pattern=pattern,
        level="INFO",
        source="app",
        count=count,
        first_seen=at,
        last_seen=at,
        metadata=summary,
        samples=Samples((pattern,), 0),
    )
