"""The records of one call of a hook, and what the host keeps of them between the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import is_

from log_aggregator.model.group import (
    Group,
    by_shape,
    first_of,
    flattened,
    grouped,
    handed_out,
    is_annotated,
    is_uniform,
    outline_of_group,
    records_of,
    retire,
    taken_back,
    write,
)
from log_aggregator.model.outlines import Key, Outlines
from log_aggregator.model.record import DecodedRecords, Record
from log_aggregator.model.shapes import shape_of, shapes_of


class Batch:
    """The records of one call of a hook: one by one, or in groups of records that agree.

    Iterating gives each record; assigning to its fields is always right. Groups cost a fraction. Both may be used in
    one call: what is assigned to a record wins over what is assigned to its group. A `normalize` hook is offered only
    records whose pattern is not final.
    """

    __slots__ = (
        "_annotated", "_decoded", "_dropped", "_groups", "_handed", "_hook", "_ids", "_keys", "_messages", "_ordered",
        "_outlines", "_records", "_rejected", "_shapes",
    )  # fmt: skip

    _annotated: bool
    _decoded: bool
    _dropped: dict[int, str]
    _groups: list[Group] | None
    _handed: bool
    _hook: str
    _ids: set[int] | None
    _keys: Sequence[Key] | None
    _messages: list[str]
    _ordered: bool
    _outlines: Outlines | None
    _records: list[Record]
    _rejected: dict[int, str]
    _shapes: list[str] | None

    def __iter__(self) -> Iterator[Record]:
        self._write()
        if not self._handed:
            self._handed = True
            self._messages = [record.message for record in self._records]
            for group in self._groups or ():
                handed_out(group)
        if self._hook == "normalize":
            return iter([record for record in self._records if not record.pattern_is_final])
        return iter(self._records[:])

    def __len__(self) -> int:
        if self._hook == "normalize":
            return sum(len(records_of(group)) for group in self._offered())
        return len(self._records)

    def groups(self) -> Sequence[Group]:
        """Records with equal shape, level, source and annotations, in the order of the first record of each."""
        for group in self._all_groups():
            if outline_of_group(group):
                by_shape(group)
        return self._offered()

    def _offered(self) -> list[Group]:
        """The groups that a stage may see, also those of an outline, in the order of their first records."""
        return [group for group in self._all_groups() if self._hook != "normalize" or not group.pattern_is_final]

    def drop(self, record: Record, reason: str) -> None:
        """Leave a record out; drops are counted by reason. For `on_ingest` only.

        Raises `ValueError` when the batch has no such record, `RuntimeError` in another hook.
        """
        self._dropped[self._refusable(record)] = reason

    def reject(self, record: Record, reason: str) -> None:
        """Refuse a record: its sender is told the reason, so it must not hold the message. For `on_ingest` only.

        Raises `ValueError` when the batch has no such record, `RuntimeError` in another hook.
        """
        self._rejected[self._refusable(record)] = reason

    def _refusable(self, record: Record) -> int:
        if self._hook not in {"", "on_ingest"}:
            raise RuntimeError(f"drop and reject are for on_ingest; {self._hook} cannot refuse what is acknowledged")
        if self._ids is None:
            self._ids = set(map(id, self._records))
        if id(record) not in self._ids:
            raise ValueError("not a record of this batch")
        return id(record)

    def _write(self) -> None:
        """Write what was assigned to groups to their records."""
        if self._groups is not None:
            self._groups = self._in_order(flattened(self._groups))
            for group in self._groups:
                if write(group):
                    self._annotated = True

    def _all_groups(self) -> list[Group]:
        if self._handed:
            self._take_assignments()
        if self._groups is None:
            if self._shapes is None:
                self._shapes = shapes_of([record.message for record in self._records])
            times = [record.timestamp for record in self._records]
            if not self._decoded and not {int}.issuperset(map(type, times)):
                raise TypeError("a timestamp is no integer")
            self._ordered = times == sorted(times)
            if self._keys is None:
                self._keys = self._outlines.keys(self._shapes) if self._outlines is not None else self._shapes
            self._groups = grouped(self._records, self._keys, annotated=self._annotated)
            if self._handed:
                for group in self._groups:
                    handed_out(group)
        else:
            self._groups = self._in_order(flattened(self._groups))
        return self._groups

    def _in_order(self, groups: list[Group]) -> list[Group]:
        """The groups by their first records: parts of a group of an outline belong between others."""
        if self._keys is self._shapes or len(groups) == len(self._groups or ()):
            return groups
        places = dict(zip(map(id, self._records), range(len(self._records)), strict=True))
        return sorted(groups, key=lambda group: places[id(first_of(group))])

    def _take_assignments(self) -> None:
        """Take in what a plugin assigned to records that it was handed."""
        self._write()
        self._decoded = False
        changed = self._update_shapes()
        if self._groups is None or changed or not all(map(is_uniform, self._groups)):
            self._annotated = any(map(is_annotated, self._records))
            for group in self._groups or ():
                retire(group)
            self._groups = None

    def _update_shapes(self) -> bool:
        """Give each message that was replaced its own shape; whether one was."""
        messages = [record.message for record in self._records]
        if all(map(is_, messages, self._messages)):
            return False
        if self._shapes is not None:
            columns = zip(messages, self._messages, self._shapes, strict=True)
            try:
                self._shapes = [shape if new is old else shape_of(new) for new, old, shape in columns]
            except (AttributeError, TypeError):  # a message is no text: the inspector repairs it
                self._shapes = None
            self._update_keys(messages)
        self._messages = messages
        return True

    def _update_keys(self, messages: list[str]) -> None:
        """Give each message that was replaced the key of its new shape."""
        if self._outlines is None or self._keys is None or self._shapes is None:
            self._keys = None
            return
        new = [place for place, message in enumerate(messages) if message is not self._messages[place]]
        keys = dict(zip(new, self._outlines.keys([self._shapes[place] for place in new]), strict=True))
        self._keys = [keys.get(place, key) for place, key in enumerate(self._keys)]


def outlined(batch: Batch) -> Sequence[Group]:
    """As `groups`, for stages that know outlines: shapes that come for the first time share a group by their outline.

    `outline_of_group` tells these groups; their `shape` is the outline.
    """
    return batch._offered()


class WorkingBatch(Batch):
    """A batch as the host keeps it between the calls of hooks."""

    __slots__ = ("stages_done",)

    def __init__(self, records: list[Record], shapes: list[str] | None = None) -> None:
        """`shapes`: the shape of each message, when it is known already."""
        if shapes is None and type(records) is DecodedRecords:
            shapes = records.shapes
        self._records = records
        self._shapes = shapes
        self._decoded = type(records) is DecodedRecords
        self._annotated = not self._decoded
        self._groups = self._ids = self._keys = self._outlines = None
        self._handed = self._ordered = False
        self._hook = ""
        self._dropped, self._rejected = {}, {}
        self.stages_done = 0

    @property
    def size(self) -> int:
        """How many records there are, whatever the hook is offered."""
        return len(self._records)

    def use(self, outlines: Outlines) -> None:
        """Group what comes for the first time by outlines, from the next grouping on."""
        self._outlines = outlines

    @property
    def is_ordered(self) -> bool:
        """Whether the times ascend. Known once `all_groups` was called."""
        return self._ordered

    @property
    def is_annotated(self) -> bool:
        """Whether a record may carry annotations of a stage. `records` makes it true to the groups."""
        return self._annotated

    def call(self, hook: str, implementation: Callable[..., object]) -> None:
        """Call a hook with this batch and take in what it assigned, also when it raises."""
        self._hook = hook
        try:
            implementation(batch=self)
        finally:
            self._end()

    def _end(self) -> None:
        if self._handed:
            self._take_assignments()
            self._handed = False
            for group in self._groups or ():
                taken_back(group)
        self._hook = ""

    def all_groups(self) -> list[Group]:
        """Every group, final or not. Raises `TypeError` or `ValueError` when a field has a wrong type."""
        return self._all_groups()

    def records(self) -> list[Record]:
        """The records with all annotations, to be read only. Raises `TypeError` when an annotation has a wrong type."""
        self._write()
        return self._records

    def regroup(self) -> None:
        """Forget the groups: the records say everything, and something in them was repaired."""
        self._write()
        self._groups = self._shapes = self._keys = None
        self._annotated = True
        self._decoded = False

    def refused(self) -> tuple[list[tuple[Record, str]], list[tuple[Record, str]]]:
        """The dropped and the rejected records with their reasons. A rejected one is not dropped, too."""
        rejected = [(record, self._rejected[id(record)]) for record in self._records if id(record) in self._rejected]
        dropped = [
            (record, self._dropped[id(record)])
            for record in self._records
            if id(record) in self._dropped and id(record) not in self._rejected
        ]
        return dropped, rejected

    def take_refusals(self, part: WorkingBatch) -> None:
        """Take over what was dropped and rejected in a part of this batch."""
        self._dropped |= part._dropped
        self._rejected |= part._rejected

    @property
    def needs_grouping(self) -> bool:
        """Whether the records are not in groups yet."""
        return self._groups is None

    @property
    def has_refused(self) -> bool:
        """Whether a record was dropped or rejected."""
        return bool(self._dropped or self._rejected)

    def kept(self) -> WorkingBatch:
        """The batch without the dropped and rejected records."""
        gone = self._dropped.keys() | self._rejected.keys()
        self._write()
        return self.part([place for place, record in enumerate(self._records) if id(record) not in gone])

    def part(self, places: Sequence[int]) -> WorkingBatch:
        """The records at some places, as a batch of their own."""
        self._write()
        shapes = [self._shapes[place] for place in places] if self._shapes is not None else None
        part = WorkingBatch([self._records[place] for place in places], shapes)
        part._annotated, part._decoded, part.stages_done = self._annotated, self._decoded, self.stages_done
        part._outlines = self._outlines
        if self._keys is not None and shapes is not None:
            part._keys = shapes if self._keys is self._shapes else [self._keys[place] for place in places]
        return part

    def slice(self, start: int, stop: int) -> WorkingBatch:
        """The records from `start` to before `stop`, as a batch of their own."""
        return self.part(range(start, min(stop, len(self._records))))
