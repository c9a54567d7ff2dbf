"""Records taken together where they are alike: nothing is lost, and whoever looks at them one by one sees the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tests.made import Store
from log_aggregator import Batch, Record, Reject, shape_of
from log_aggregator.journal.intake import decode
from log_aggregator.model.batch import run
from log_aggregator.processing.partial_aggregates import PartialAggregate, PreAggregator

Make = Callable[..., Record]


class Together:
    """Says of alike records what `Apart` says of each."""

    def normalize(self, batch: Batch) -> None:
        for same in batch.alike():
            same.pattern = same.shape.upper()

    def enrich(self, batch: Batch) -> None:
        for same in batch.alike():
            same.tags = (*same.tags, same.source)
            same.metadata = [{**record.metadata, "first": record.message[:1]} for record in same.records]


class Apart:
    def normalize(self, records: list[Record]) -> None:
        for record in records:
            record.pattern = "".join("0" if c in "0123456789" else c for c in record.message).upper()

    def enrich(self, records: list[Record]) -> None:
        for record in records:
            record.tags = (*record.tags, record.source)
            record.metadata = {**record.metadata, "first": record.message[:1]}


def any_record() -> st.SearchStrategy[Record]:
    return st.builds(
        Record,
        message=st.sampled_from(["a 1", "a 2", "a 10", "b 1", "line\n1", "é 1"]),
        level=st.sampled_from(["INFO", "ERROR"]).map(lambda level: "".join([*level])),  # equal, not the same object
        source=st.sampled_from(["x", "y"]),
        timestamp=st.integers(0, 20),
        metadata=st.sampled_from([{}, {"k": 1}]).map(dict),
        level_is_explicit=st.booleans(),
        pattern=st.sampled_from(["", "", "", "set"]),
        tags=st.sampled_from([(), (), ("set",)]),
    )


def copies(records: list[Record]) -> list[Record]:
    return [copy(record) for record in records]


def said(records: list[Record]) -> list[tuple[Any, ...]]:
    return [(r.message, r.level, r.source, r.timestamp, r.pattern, r.category, r.tags, r.metadata) for r in records]


@given(st.lists(any_record(), max_size=30))
def test_alike_records_agree_and_none_is_lost(records: list[Record]) -> None:
    before = said(records)
    batch = Batch(records)
    alike = batch.alike()
    for same in alike:
        assert {(r.shape, r.level, r.source, r.level_is_explicit, r.pattern, r.tags) for r in same.records} == {
            (same.shape, same.level, same.source, same.level_is_explicit, same.pattern, same.tags)
        }
        assert not same.metadata or same.metadata == [record.metadata for record in same.records]
    assert len({(s.shape, s.level, s.source, s.level_is_explicit, s.pattern, s.tags) for s in alike}) == len(alike)
    assert said(batch.records()) == before


@given(st.lists(any_record(), max_size=30), st.lists(st.booleans(), min_size=4, max_size=4))
def test_stages_of_both_forms_say_the_same(records: list[Record], forms: list[bool]) -> None:
    apart, mixed = Batch(copies(records)), Batch(copies(records))
    for hook, together in zip(("normalize", "normalize", "enrich", "enrich"), forms, strict=True):
        run(getattr(Apart(), hook), apart)
        run(getattr(Together() if together else Apart(), hook), mixed)
    assert said(mixed.records()) == said(apart.records())


@given(st.lists(any_record(), min_size=1, max_size=20), st.data())
def test_parts_keep_what_was_said_and_each_its_own_metadata(records: list[Record], data: st.DataObject) -> None:
    batch = Batch(records)
    parts = []
    for same in batch.alike():
        same.category = "said"
        patterns = data.draw(st.lists(st.sampled_from("pq"), min_size=len(same.records), max_size=len(same.records)))
        wanted = [(id(record), pattern) for record, pattern in zip(same.records, patterns, strict=True)]
        found = same.by_pattern(patterns)
        assert sorted((id(record), part.pattern) for part in found for record in part.records) == sorted(wanted)
        parts += found
    owned = {id(record): record.metadata for record in records}
    batch.replace(parts)
    for record in batch.records():
        assert (record.category, record.metadata) == ("said", owned[id(record)])


def counted(kinds: list[PartialAggregate]) -> dict[Any, Any]:
    """By group: how many, the times of the first and the latest, and how often each metadata came."""
    found: dict[Any, Any] = {}
    for kind in kinds:
        logs, first, latest, metadata = found.get(kind.key, (0, kind.first[0], kind.latest[0], Counter()))
        metadata.update(map(str, kind.metadata))
        found[kind.key] = logs + kind.logs, min(first, kind.first[0]), max(latest, kind.latest[0]), metadata
    return found


@given(st.lists(any_record(), max_size=30), st.booleans(), st.sampled_from([(), ("k",)]))
def test_kinds_are_the_same_however_records_are_taken(
    records: list[Record], ordered: bool, group_by: tuple[str, ...]
) -> None:
    for record in records:
        record.timestamp *= 1_000_000
    if ordered:
        records.sort(key=lambda record: record.timestamp)
    alone = [kind for record in copies(records) for kind in PreAggregator(5, group_by).sort(Batch([record]))]
    assert counted(PreAggregator(5, group_by).sort(Batch(records))) == counted(alone)


def test_the_first_and_the_latest_message_are_those_of_their_times(record: Make) -> None:
    records = [record(f"m {n}", timestamp=n, pattern="m") for n in (3, 1, 2)]
    for given_order in (records, sorted(records, key=lambda one: one.timestamp)):
        (kind,) = PreAggregator(5).sort(Batch(copies(given_order)))
        assert (kind.first, kind.latest) == ((1, "m 1"), (3, "m 3"))


def test_parts_that_lose_records_are_not_taken(record: Make) -> None:
    batch = Batch([record("a 1"), record("b 1")])
    with pytest.raises(ValueError, match="parts with 1 records, expected the 2"):
        batch.replace(batch.alike()[:1])
    batch.alike().clear()
    assert len(batch.records()) == 2


@given(st.lists(any_record(), max_size=8), st.data())
def test_what_nobody_changed_is_taken_together_as_before(records: list[Record], data: st.DataObject) -> None:
    """Whoever takes the records one by one may change some of them, or none."""
    batch = Batch(records)
    for same in batch.alike():
        same.pattern = data.draw(st.sampled_from(["", "p"]))
        same.errors = ("late",)
    for one in batch.records():
        change = data.draw(st.sampled_from(["", "", "level", "source", "pattern", "category", "message"]))
        if change == "message":
            one.set_message("another")
        elif change:
            setattr(one, change, "other")
        if data.draw(st.booleans()):
            one.metadata = {"new": len(one.message)}
    before = said(records)
    for same in batch.alike():
        what = (same.shape, same.level, same.source, same.pattern, same.category)
        for one in same.records:
            assert (shape_of(one.message), one.level, one.source, one.pattern, one.category) == what
        assert same.metadata in ([], [one.metadata for one in same.records])
    assert said(batch.records()) == before
    assert all(record.errors == ("late",) for record in records)


def test_metadata_that_a_stage_takes_away_is_gone_from_the_records(record: Make) -> None:
    records = [record("a 1", metadata={"k": 1}), record("a 2")]
    batch = Batch(records)
    for same in batch.alike():
        same.metadata = []
    assert [one.metadata for one in batch.written()] == [{}, {}]
    assert batch.alike()[0].metadata == []


class Guards:
    """What a doorkeeper may do with a batch: other sources, other messages, refusals."""

    def on_ingest(self, batch: Batch) -> None:
        for same in batch.alike():
            same.source = f"{same.source}-x"
            if same.shape == "no 0":
                raise Reject("not wanted", same.records[0])
        for one in batch.records():
            if one.message == "secret 1":
                one.set_message("[redacted]")


async def test_what_a_doorkeeper_says_of_a_batch_is_what_is_written_and_counted(
    start: Callable[..., Any], store: Store, record: Make
) -> None:
    logs = [record("secret 1"), record("secret 2"), record("no 1"), record("no 2")]
    async with start(Guards(), Together()) as service:
        written = []
        service.door._intake.append, append = (
            lambda connection, entries: written.extend(entries) or append(connection, entries),
            service.door._intake.append,
        )
        receipt = await service.take(logs)
        await service.flush(5)
    assert (receipt.accepted, receipt.rejected) == (2, [(2, "not wanted"), (3, "not wanted")])
    (entry,) = written
    assert [(one.message, one.source) for one in decode(entry.payload)] == [
        ("[redacted]", "app-x-x-x"),
        ("secret 2", "app-x-x-x"),
    ]
    assert store.counts == {"[REDACTED]": 1, "SECRET 0": 1}
