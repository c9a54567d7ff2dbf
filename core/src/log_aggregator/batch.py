"""The records of one batch, one by one or taken together where they are alike: what is said of those is said once."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import msgspec

from log_aggregator.record import Record, fill_shapes


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
    level_sent: bool
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
        _spread(one)
        return one.records[0]


class Batch:
    """The records of one batch, in the form in which they were asked for last.

    Changing the form costs about 0.2 µs a record. A stage that says the same of alike records asks for `alike()`.
    `ordered` tells of records taken together whether their times ascend.
    """

    __slots__ = ("_alike", "_records", "ordered", "size")

    def __init__(self, records: list[Record]) -> None:
        self.size = len(records)
        self.ordered = False
        self._records = records
        self._alike: list[Alike] | None = None

    def alike(self) -> list[Alike]:
        """The records taken together where they are alike, in the order of the first of each.

        Raises `TypeError` or `ValueError` when one has a field of a wrong type.
        """
        if self._alike is None:
            times = [record.timestamp for record in self._records]
            if not {int}.issuperset(map(type, times)):
                raise TypeError("a timestamp has not its type")
            self.ordered = times == sorted(times)
            self._alike = gather(self._records)
        return self._alike[:]

    def records(self) -> list[Record]:
        """The records one by one, in the order in which they came, with all that was said of them."""
        if self._alike is not None:
            for same in self._alike:
                _spread(same)
            self._alike = None
        return self._records[:]

    def replace(self, alike: list[Alike]) -> None:
        """Take these parts of the same records from now on. Raises `ValueError` when some are missing or too many."""
        held = _records_in(alike)
        if held != self.size:
            raise ValueError(f"parts with {held} records, expected the {self.size} of the batch")
        self._alike = alike[:]


def make_whole(batch: Batch) -> bool:
    """Take all records together anew when a stage has taken some, or their metadata, away; whether one has."""
    if batch._alike is None:
        return False
    try:
        odd = [same for same in batch._alike if same.metadata and len(same.metadata) != len(same.records)]
        whole = not odd and _records_in(batch._alike) == batch.size
    except TypeError:  # what has no length
        whole = False
    if not whole:
        batch._alike = None
    return not whole


def examples_of(batch: Batch, turn: int) -> list[Record]:
    """Up to three records with what was said of them: the first, the last, and with each turn another between."""
    if batch._alike is not None:
        alike = batch._alike
        return [same.example() for same in (alike[0], alike[-1], alike[turn % len(alike)])] if alike else []
    records = batch._records
    return [records[0], records[-1], records[turn % len(records)]] if records else []


def _records_in(alike: list[Alike]) -> int:
    return sum([len(same.records) for same in alike])


def gather(records: list[Record]) -> list[Alike]:
    """Take records together that are alike, in the order of the first of each. Fills in their shapes."""
    fill_shapes(records)
    said_of = [record for record in records if record.pattern or record.category or record.tags or record.settled]
    found = _by_all_that_was_said(records) if said_of else _by_shape_level_and_source(records)
    if [record for record in records if record.metadata]:
        for same in found:
            metadata = [record.metadata for record in same.records]
            same.metadata = metadata if any(metadata) else []
    return found


def _by_shape_level_and_source(records: list[Record]) -> list[Alike]:
    found: dict[Any, Alike] = {}
    get = found.get
    for record in records:
        shape, level, source, sent = record.shape, record.level, record.source, record.level_sent
        same = get(shape)
        # Most shapes have one level and source: to compare them costs less than a key of all four.
        if same is None or same.level != level or same.source != source or same.level_sent is not sent:
            what = shape if same is None else (shape, level, source, sent)
            same = get(what)
            if same is None:
                found[what] = Alike([record], shape, level, source, sent)
                continue
        same.records.append(record)
    return list(found.values())


def _by_all_that_was_said(records: list[Record]) -> list[Alike]:
    found: defaultdict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in records:
        what = (record.shape, record.level, record.source, record.level_sent)
        found[*what, record.pattern, record.category, record.tags, record.settled].append(record)
    return [Alike(same, *what) for what, same in found.items()]


def _spread(same: Alike) -> None:
    """Say of each record what was said of all that are alike."""
    level, pattern, category, tags, settled = same.level, same.pattern, same.category, same.tags, same.settled
    for record in same.records:
        record.level, record.pattern, record.category = level, pattern, category
        record.tags, record.settled = tags, settled
        if same.errors:
            record.errors += same.errors
    if same.metadata:
        for record, metadata in zip(same.records, same.metadata, strict=True):
            record.metadata = metadata


def takes_batch(hook: Callable[..., Any]) -> bool:
    """Whether a stage's hook takes the `batch`, or else its `records` one by one."""
    return "batch" in inspect.signature(hook).parameters


def run(hook: Callable[..., Any], batch: Batch) -> None:
    """Call a stage's `normalize` or `enrich`, whichever form it has."""
    if takes_batch(hook):
        hook(batch=batch)
    else:
        hook(records=batch.records())
