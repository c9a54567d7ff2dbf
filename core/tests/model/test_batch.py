"""A batch in groups and one by one: nothing is lost, nothing is assigned in vain, and both forms see the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Batch, Group, Record, shape_of, shapes_of
from log_aggregator.journal import decode, encode
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.group import records_of, weight_of
from log_aggregator.model.record import DecodedRecords
from log_aggregator.processing.partial_aggregates import PartialAggregate, PreAggregator

Make = Callable[..., Record]

FIELDS = {
    "pattern": "p",
    "category": "c",
    "tags": ("t",),
    "level": "L",
    "source": "s",
    "pattern_is_final": True,
    "weight": 3,
}


class Together:
    """Annotates groups as `Apart` annotates records."""

    def normalize(self, batch: Batch) -> None:
        for group in batch.groups():
            group.pattern = group.shape.upper()

    def enrich(self, batch: Batch) -> None:
        for group in batch.groups():
            group.tags = (*group.tags, group.source)
            columns = zip(group.messages, group.metadata, strict=True)
            group.metadata = [{**metadata, "first": message[:1]} for message, metadata in columns]


class Apart:
    def normalize(self, batch: Batch) -> None:
        for record in batch:
            record.pattern = "".join("0" if c in "0123456789" else c for c in record.message).upper()

    def enrich(self, batch: Batch) -> None:
        for record in batch:
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
        pattern_is_final=st.sampled_from([False, False, True]),
        weight=st.sampled_from([1, 1, 5]),
    )


def decoded(records: list[Record]) -> DecodedRecords:
    for record in records:
        record.pattern, record.tags, record.pattern_is_final, record.weight = "", (), False, 1
    return DecodedRecords(records, shapes_of([record.message for record in records]))


def any_records() -> st.SearchStrategy[list[Record]]:
    lists = st.lists(any_record(), max_size=20)
    return st.one_of(lists, lists.map(decoded))


def copies(records: list[Record]) -> list[Record]:
    return [copy(record) for record in records]


def content(records: list[Record]) -> list[tuple[Any, ...]]:
    return [
        (
            r.message,
            r.level,
            r.source,
            r.timestamp,
            r.pattern,
            r.category,
            r.tags,
            r.metadata,
            r.pattern_is_final,
            r.weight,
        )
        for r in records
    ]


def annotations(one: Group | Record) -> tuple[Any, ...]:
    return (
        one.level,
        one.source,
        one.level_is_explicit,
        one.pattern,
        one.category,
        one.tags,
        one.pattern_is_final,
        weight_of(one) if isinstance(one, Group) else one.weight,
    )


@given(any_records())
def test_the_records_of_a_group_agree_and_none_is_lost(records: list[Record]) -> None:
    before = content(records)
    batch = WorkingBatch(records)
    groups = batch.groups()
    for group in groups:
        assert {(shape_of(r.message), annotations(r)) for r in records_of(group)} == {(group.shape, annotations(group))}
        assert list(group.messages) == [record.message for record in records_of(group)]
        assert list(group.metadata) == [record.metadata for record in records_of(group)]
    assert len({(group.shape, annotations(group)) for group in groups}) == len(groups)
    assert content(batch.records()) == before
    assert sum(map(len, map(records_of, groups))) == len(records)


@given(any_records(), st.lists(st.booleans(), min_size=4, max_size=4))
def test_stages_of_both_forms_come_to_the_same(records: list[Record], forms: list[bool]) -> None:
    apart, mixed = WorkingBatch(copies(records)), WorkingBatch(records)
    for hook, together in zip(("normalize", "normalize", "enrich", "enrich"), forms, strict=True):
        apart.call(hook, getattr(Apart(), hook))
        mixed.call(hook, getattr(Together() if together else Apart(), hook))
    assert content(mixed.records()) == content(apart.records())


class Assigner:
    """A hook that assigns to records that it was handed and to groups, in a drawn order.

    `expected` says what each record must hold then: a record's own assignment wins over its group's.
    """

    def __init__(self, records: list[Record], data: st.DataObject) -> None:
        self.expected = copies(records)
        self._places = {id(record): place for place, record in enumerate(records)}
        self._draw = data.draw

    def __call__(self, batch: Batch) -> None:
        held: list[Record] = []
        groups: list[Group] = []
        own: set[tuple[int, str]] = set()
        for _ in range(self._draw(st.integers(0, 6))):
            action = self._draw(st.sampled_from(["iterate", "groups", "record", "group", "message"]))
            if action == "iterate":
                held = list(batch)
            elif action == "groups":
                groups = list(batch.groups())
            elif action == "group" and groups:
                self._assign_to_group(self._draw(st.sampled_from(groups)), own)
            elif held:
                own.add(self._assign_to_record(self._draw(st.sampled_from(held)), action))

    def _assign_to_record(self, record: Record, action: str) -> tuple[int, str]:
        field = "message" if action == "message" else self._draw(st.sampled_from([*FIELDS]))
        value = {"message": "other 5", **FIELDS}[field]
        place = self._places[id(record)]
        setattr(record, field, value)
        setattr(self.expected[place], field, value)
        return place, field

    def _assign_to_group(self, group: Group, own: set[tuple[int, str]]) -> None:
        field = self._draw(st.sampled_from([*FIELDS]))
        places = [self._places[id(record)] for record in records_of(group)]
        try:
            setattr(group, field, FIELDS[field])
        except AttributeError:  # the group says that it is not in the batch any more
            return
        for place in places:
            if (place, field) not in own:
                setattr(self.expected[place], field, FIELDS[field])


@given(any_records(), st.data())
def test_nothing_is_assigned_in_vain(records: list[Record], data: st.DataObject) -> None:
    batch, assigner = WorkingBatch(records), Assigner(records, data)
    for _ in range(2):
        batch.call("enrich", assigner)
    assert content(batch.records()) == content(assigner.expected)
    for group in batch.all_groups():
        assert {(shape_of(r.message), annotations(r)) for r in records_of(group)} == {(group.shape, annotations(group))}
    assert decode(encode(batch.records(), annotated=batch.is_annotated)) == batch.records()


@given(any_records(), st.data())
def test_parts_keep_the_annotations_and_are_kept_by_the_batch(records: list[Record], data: st.DataObject) -> None:
    batch = WorkingBatch(records)
    wanted = {}
    for group in batch.groups():
        group.category = "before"
        members = records_of(group)
        keys = data.draw(st.lists(st.sampled_from("pq"), min_size=len(members), max_size=len(members)))
        wanted |= {id(record): key for record, key in zip(members, keys, strict=True)}
        found = group.split(keys)
        assert [key for key, _ in found] == list(dict.fromkeys(keys))
        for key, part in found:
            part.pattern = key
        if len(found) > 1:
            with pytest.raises(AttributeError, match="assign to the parts"):
                group.pattern = "lost"
    for record in batch.records():
        assert (record.category, record.pattern) == ("before", wanted[id(record)])


def test_a_group_takes_one_key_and_one_metadata_per_record(record: Make) -> None:
    (group,) = WorkingBatch([record("a 1"), record("a 2")]).groups()
    with pytest.raises(ValueError, match="1 keys, expected one for each of 2 records"):
        group.split(["p"])
    with pytest.raises(ValueError, match="metadata of 1 records, expected 2"):
        group.metadata = [{}]
    for name in ("shape", "messages", "level_is_explicit"):
        with pytest.raises(AttributeError):
            setattr(group, name, "x")


def test_normalize_is_offered_only_patterns_that_are_not_final(record: Make) -> None:
    batch = WorkingBatch([record("a", pattern="kept", pattern_is_final=True), record("b")])
    seen: list[Any] = []

    def hook(batch: Batch) -> None:
        seen.append((len(batch), [one.message for one in batch], [list(group.messages) for group in batch.groups()]))

    batch.call("normalize", hook)
    batch.call("enrich", hook)
    assert seen == [(1, ["b"], [["b"]]), (2, ["a", "b"], [["a"], ["b"]])]


def test_drop_and_reject_are_for_records_of_the_batch_and_for_on_ingest(record: Make) -> None:
    one, other = record("a"), record("b")
    batch = WorkingBatch([one])
    batch.call("on_ingest", lambda batch: batch.drop(one, "noise"))
    assert batch.refused() == ([(one, "noise")], [])
    assert batch.kept().records() == []
    with pytest.raises(ValueError, match="not a record of this batch"):
        WorkingBatch([one]).call("on_ingest", lambda batch: batch.reject(other, "x"))
    with pytest.raises(RuntimeError, match="enrich cannot refuse"):
        WorkingBatch([one]).call("enrich", lambda batch: batch.drop(one, "x"))


def counted(partials: list[PartialAggregate]) -> dict[Any, Any]:
    """By group: how many, the times of the first and the latest, and how often each metadata came."""
    found: dict[Any, Any] = {}
    for one in partials:
        logs, first, latest, metadata = found.get(one.key, (0, one.first[0], one.latest[0], Counter()))
        metadata.update(map(str, one.metadata))
        found[one.key] = logs + one.logs, min(first, one.first[0]), max(latest, one.latest[0]), metadata
    return found


@given(any_records(), st.booleans(), st.sampled_from([(), ("k",)]))
def test_partial_aggregates_are_the_same_for_a_batch_and_for_each_record(
    records: list[Record], ordered: bool, group_by: tuple[str, ...]
) -> None:
    for record in records:
        record.timestamp *= 1_000_000
    if ordered:
        records = sorted(records, key=lambda record: record.timestamp)
    alone = [one for record in copies(records) for one in PreAggregator(5, group_by).sort(WorkingBatch([record]))]
    assert counted(PreAggregator(5, group_by).sort(WorkingBatch(records))) == counted(alone)


def test_the_first_and_the_latest_message_are_those_of_their_times(record: Make) -> None:
    records = [record(f"m {n}", timestamp=n, pattern="m") for n in (3, 1, 2)]
    for given_order in (records, sorted(records, key=lambda one: one.timestamp)):
        (one,) = PreAggregator(5).sort(WorkingBatch(copies(given_order)))
        assert (one.first[:2], one.latest[:2]) == ((1, "m 1"), (3, "m 3"))


def test_records_without_annotations_take_less_of_the_journal(record: Make) -> None:
    batch = WorkingBatch(decoded([record("a 1", metadata={"k": 1}), record("a 2")]))
    batch.groups()
    records = batch.records()
    assert not batch.is_annotated
    assert len(encode(records, annotated=False)) < len(encode(records))
