"""What alike records have in common, and how it is found and told to each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from typing import Any

import msgspec

from log_aggregator.model.record import Record, fill_shapes


class Alike(msgspec.Struct, gc=False):
    """Records of one batch that agree in shape, level and source, and of which every stage has said the same.

    Their messages differ in digits at most. What a stage sets here counts for all `records`, of which there is at
    least one; their own fields take no part. `metadata` has that of each record, in order, or is empty when none has
    any: to change it, put a new list of new objects here.
    """

    records: list[Record]
    shape: str
    level: str
    source: str
    level_is_explicit: bool
    pattern: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    settled: bool = False
    metadata: list[dict[str, Any]] = []
    errors: tuple[str, ...] = ()

    def part(self, places: Sequence[int]) -> Alike:
        """The records at some places, ascending, with all that was said: a stage may say something else of them."""
        part = copy(self)
        part.records = [self.records[place] for place in places]
        part.metadata = [self.metadata[place] for place in places] if self.metadata else []
        return part

    def by_pattern(self, patterns: Sequence[str]) -> list[Alike]:
        """The parts with the same pattern, which is set; `patterns` has one for each record, in order."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, pattern in enumerate(patterns):
            places[pattern].append(place)
        parts = [self] if len(places) == 1 else [self.part(some) for some in places.values()]
        for part, pattern in zip(parts, places, strict=True):
            part.pattern = pattern
        return parts

    def example(self) -> Record:
        """The first record, as a new one that has what was said of all."""
        one = self.part([0])
        one.records = [copy(self.records[0])]
        tell(one)
        tell_metadata(one)
        return one.records[0]


def take_together(records: list[Record], *, fresh: bool = False) -> list[Alike]:
    """Alike records together, in the order of the first of each. Fills in their shapes.

    `fresh`: no stage has said anything of them. Raises `TypeError` or `ValueError` when a field has a wrong type.
    """
    said_of = [] if fresh else [r for r in records if r.pattern or r.category or r.tags or r.settled]
    find = _by_all_that_was_said if said_of else _by_shape_level_and_source
    found = find(records)
    if not all(same.shape for same in found):
        fill_shapes(records)
        found = find(records)
    return found


def _by_shape_level_and_source(records: list[Record]) -> list[Alike]:
    found: dict[Any, Alike] = {}
    get = found.get
    for record in records:
        same = get(record.shape)
        if same is None:
            shape = record.shape
            found[shape] = Alike([record], shape, record.level, record.source, record.level_is_explicit)
            continue
        # Most shapes have one level and source, and decoders share their texts: cheaper than a key of all.
        if (
            same.level is not record.level
            or same.source is not record.source
            or same.level_is_explicit is not record.level_is_explicit
        ):
            same = _of_its_kind(record, same, found)
        same.records.append(record)
    return list(found.values())


def _of_its_kind(record: Record, near: Alike, found: dict[Any, Alike]) -> Alike:
    """Where a record belongs that is not surely alike `near`, the first of its shape."""
    shape, level, source, sent = record.shape, record.level, record.source, record.level_is_explicit
    if near.level == level and near.source == source and near.level_is_explicit is sent:
        return near
    what = (shape, level, source, sent)
    return found.get(what) or found.setdefault(what, Alike([], shape, level, source, sent))


def _by_all_that_was_said(records: list[Record]) -> list[Alike]:
    found: defaultdict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in records:
        what = (record.shape, record.level, record.source, record.level_is_explicit)
        found[*what, record.pattern, record.category, record.tags, record.settled].append(record)
    return [Alike(same, *what) for what, same in found.items()]


def take_metadata(alike: list[Alike]) -> None:
    """Let each have the metadata of its records."""
    for same in alike:
        metadata = [record.metadata for record in same.records]
        same.metadata = metadata if any(metadata) else []


def are_told(same: Alike) -> bool:
    """Whether the records say themselves what was said of all; metadata apart. When one does, the others do."""
    record = same.records[0]
    return (
        record.level == same.level
        and record.source == same.source
        and record.pattern == same.pattern
        and record.category == same.category
        and record.tags == same.tags
        and record.settled is same.settled
        and not same.errors
    )


def is_unsaid(same: Alike) -> bool:
    """Whether no stage has said anything of fresh records; metadata apart."""
    record = same.records[0]
    said = same.pattern or same.category or same.tags or same.settled or same.errors
    return not said and record.level is same.level and record.source is same.source


def are_still_alike(same: Alike) -> bool:
    """Whether all records say themselves what stands here; metadata apart."""
    shape, level, source, sent = same.shape, same.level, same.source, same.level_is_explicit
    pattern, category, tags, settled = same.pattern, same.category, same.tags, same.settled
    for record in same.records:
        if (
            record.pattern != pattern
            or record.tags is not tags
            or record.category != category
            or record.level != level
            or record.shape != shape
            or record.source != source
            or record.level_is_explicit is not sent
            or record.settled is not settled
        ):
            return False
    return True


def tell(same: Alike) -> None:
    """Say of each record what was said of all that are alike; metadata apart."""
    level, source, pattern, category = same.level, same.source, same.pattern, same.category
    tags, settled = same.tags, same.settled
    errors = same.errors if type(same.errors) is tuple else ()  # what a plugin garbled would end the pipeline here
    for record in same.records:
        record.level, record.source, record.pattern, record.category = level, source, pattern, category
        record.tags, record.settled = tags, settled
        if errors:
            record.errors += errors
    same.errors = ()


def tell_metadata(same: Alike) -> None:
    """Give each record the metadata that stands here for it."""
    if same.metadata:
        for record, metadata in zip(same.records, same.metadata, strict=True):
            record.metadata = metadata
    else:
        for record in same.records:
            if record.metadata:
                record.metadata = {}
