"""The texts of aggregates as records, for the guards: what they mask, drop or reject of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from log_aggregator.model.aggregate import Aggregate, Alias
from log_aggregator.model.record import Record
from log_aggregator.model.samples import Sample, Samples, choose, metadata_text
from log_aggregator.model.summary import KeySummary, Summary
from log_aggregator.model.values import Values
from log_aggregator.model.variables import variable_names

_Slot = tuple[str, str]


class Probes:
    """The records of one aggregate: its pattern with level, source and group, its samples, names and values.

    The guards see `records`. `result` then says what they left of the aggregate; `head` is the record of the pattern:
    when that is dropped or rejected, the whole aggregate is.
    """

    def __init__(self, of: Aggregate) -> None:
        self._of = of
        self._group = _object(of.group)
        # A group that was cut is no JSON any more: its text is looked at as a value.
        metadata = {"group": of.group} if of.group and self._group is None else self._group or {}
        self.head = self._record(of.pattern, metadata)
        self._logs = [
            self._record(log.message, _object(log.metadata) or {}, log.time)
            for log in (of.samples.occurrences(of.first_seen, of.last_seen) if of.samples.messages else ())
        ]
        self._logs_before = _looks(self._logs)
        self._names = {name: self._record(name, {}) for name in (*of.categories, *of.tags)}
        self._values = {
            "metadata": self._slots(of.metadata),
            "variables": self._slots(of.variables),
        }

    @property
    def records(self) -> list[Record]:
        """All that the guards are to see."""
        values = [record for slots in self._values.values() for record in slots.values()]
        return [self.head, *self._logs, *self._names.values(), *values]

    def _record(self, message: str, metadata: dict[str, Any], time: int | None = None) -> Record:
        of = self._of
        return Record(message, of.level, of.source, of.first_seen if time is None else time, metadata)

    def _slots(self, summary: Summary) -> dict[_Slot, Record]:
        """A record for each value of each key."""
        found: dict[_Slot, Record] = {}
        for key, entry in summary.items():
            values = entry.values
            for value in {**values.kept, **values.draws}:
                found[key, value] = self._record(self._of.pattern, _nested(key, value))
        return found

    def result(self, kept: Collection[int]) -> Aggregate:
        """What the guards left; `kept` holds the `id` of each record that they neither dropped nor rejected."""
        of, head = self._of, self.head
        names = {name: record.message for name, record in self._names.items() if id(record) in kept}
        same = variable_names(head.message) == variable_names(of.pattern)
        return msgspec.structs.replace(
            of,
            pattern=head.message,
            level=head.level,
            source=head.source,
            group=self._kept_group(),
            samples=self._kept_samples(kept),
            categories=_renamed(of.categories, names),
            tags=_renamed(of.tags, names),
            metadata=_kept_summary(of.metadata, self._values["metadata"], kept),
            variables=_kept_summary(of.variables, self._values["variables"], kept) if same else {},
        )

    def _kept_group(self) -> str:
        of, metadata = self._of, self.head.metadata
        if not of.group:
            return ""
        if self._group is None:
            return str(metadata.get("group", ""))
        return of.group if metadata == _object(of.group) else msgspec.json.encode(metadata, order="sorted").decode()

    def _kept_samples(self, kept: Collection[int]) -> Samples:
        of = self._of
        left = [record for record in self._logs if id(record) in kept]
        if len(left) == len(self._logs) and _looks(self._logs) == self._logs_before:
            return of.samples
        # A sample that a guard takes for a log of another level or source is none of this aggregate.
        logs = [
            Sample(record.timestamp, record.message, metadata_text(record.metadata))
            for record in left
            if (record.level, record.source) == (self.head.level, self.head.source)
        ]
        return choose(min(logs), max(logs), logs, max(2, len(of.samples.messages))) if logs else Samples()


def _looks(records: list[Record]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What a guard may change of records. It assigns metadata anew and never changes it in place."""
    return [(record.message, record.level, record.source, record.metadata) for record in records]


def probe_of_alias(alias: Alias) -> Record:
    """What the guards see of an alias: its pattern."""
    return Record(alias.pattern, "INFO", "", alias.at, {})


def _object(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _nested(key: str, value: str) -> dict[str, Any]:
    """A value under its key; under dotted keys it was nested, and guards look at the names of both."""
    inner: Any = value
    for part in reversed(key.split(".")[1:]):
        inner = {part: inner}
    return {key.split(".", 1)[0]: inner}


def _only(value: Any) -> tuple[list[str], Any] | None:
    """The path of keys and the value of an object that holds only one; `None` when it holds none, or more."""
    path: list[str] = []
    while isinstance(value, dict):
        if len(value) != 1:
            return None
        ((key, value),) = value.items()
        path.append(str(key))
    return path, value


def _renamed(counts: dict[str, int], names: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in counts.items():
        if name in names:
            found[names[name]] = found.get(names[name], 0) + count
    return found


def _kept_summary(summary: Summary, slots: dict[_Slot, Record], kept: Collection[int]) -> Summary:
    """The summary with what the guards left of its keys and values."""
    found: Summary = {}
    for key, entry in summary.items():
        before = entry.values
        texts: dict[str, str] = {}
        renamed = key
        for value in {**before.kept, **before.draws}:
            record = slots[key, value]
            only = _only(record.metadata) if id(record) in kept else None
            if only is not None:
                renamed, texts[value] = ".".join(only[0]), only[1] if type(only[1]) is str else str(only[1])
        if renamed == key and all(texts.get(value) == value for value in (*before.kept, *before.draws)):
            found[key] = entry
        elif texts:
            found[renamed] = _remade(entry, before, texts)
    return found


def _remade(entry: KeySummary, before: Values, texts: dict[str, str]) -> KeySummary:
    """A key of which a guard changed values: those are put together, and its numbers are not kept."""
    kept: dict[str, int] = {}
    for value, count in before.kept.items():
        if value in texts:
            kept[texts[value]] = kept.get(texts[value], 0) + count
    draws: dict[str, float] = {}
    for value, draw in before.draws.items():
        if value in texts:
            draws[texts[value]] = max(draw, draws.get(texts[value], draw))
    every = set(texts.values())
    if len(every) == 1 and not before.complete:  # one mask for all of them, so for those that are not known too
        kept = dict.fromkeys(every, entry.count)
    is_whole = before.complete or len(every) == 1
    if not kept:
        kept = dict.fromkeys(list(draws)[:1], 1)
    return KeySummary.of(entry.count, Values(kept, draws, [] if is_whole else before.cells))
