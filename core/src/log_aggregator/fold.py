"""Records → groups: what is counted, kept and summarized while a flush gathers."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from log_aggregator.aggregate import Aggregate
from log_aggregator.figures import Tally
from log_aggregator.isolation.garbage import is_metadata
from log_aggregator.record import Record
from log_aggregator.samples import choose
from log_aggregator.summary import Summary, merge_summaries, summarize

OVERFLOW_PATTERN = "{OVERFLOW}"
"""The pattern of groups beyond `max_groups`: their totals stay exact, their texts are not kept."""

_INT, _STR, _DICT = {int}, {str}, {dict}
_METADATA_AT_ONCE = 256
_OTHERS = 16
_GROUP_COST = 1000

_kind = attrgetter("pattern", "level", "source", "category", "tags")
_when = attrgetter("timestamp")


class UnsoundError(TypeError):
    """A record has a field of a wrong type: a plugin left it so."""


class _Kind:
    """Records of one batch that agree in all that a stage says per pattern."""

    __slots__ = ("category", "key", "level", "metadata", "newest", "oldest", "pattern", "records", "source", "tags")

    def __init__(self, key: tuple[Any, ...], records: list[Record]) -> None:
        self.key = key
        self.pattern, self.level, self.source, self.category, self.tags = key
        self.records = records
        self.metadata = [record.metadata for record in records if record.metadata]
        times = set(map(type, map(_when, records)))
        texts = {type(self.pattern), type(self.level), type(self.source), type(self.category), *map(type, self.tags)}
        if (
            times != _INT
            or texts != _STR
            or type(self.tags) is not tuple
            or not _DICT.issuperset(map(type, self.metadata))
        ):
            raise UnsoundError("a field has not its type")
        if len(records) == 1:
            self.oldest = self.newest = records[0]
        else:
            self.oldest, self.newest = min(records, key=_when), max(records, key=_when)


class _Group:
    """One group while it gathers."""

    __slots__ = ("categories", "count", "first", "garbled", "latest", "metadata", "others", "pending", "tags")

    def __init__(self, first: Record) -> None:
        self.count = 0
        self.first = self.latest = (first.timestamp, first.message)
        self.others: set[str] = set()
        self.pending: list[dict[str, Any]] = []
        self.metadata: Summary = {}
        self.categories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.garbled = False

    def describe(self, kind: _Kind) -> None:
        """Take in what is said about the logs besides their message."""
        logs = len(kind.records)
        if kind.category:
            self.categories[kind.category] = self.categories.get(kind.category, 0) + logs
        for tag in kind.tags:
            self.tags[tag] = self.tags.get(tag, 0) + logs
        if kind.metadata:
            self.pending += kind.metadata
            if len(self.pending) >= _METADATA_AT_ONCE:
                self.summarize_pending()

    def summarize_pending(self) -> None:
        """Summarize the metadata that waits: many at once cost less than one by one."""
        pending, self.pending = self.pending, []
        try:
            summary = summarize(pending)
        except Exception:  # noqa: BLE001  a plugin's garbage costs its own metadata, not the logs
            summary = summarize(entry for entry in pending if is_metadata(entry))
        self.metadata = merge_summaries(self.metadata, summary)


class Fold:
    """Gathers records until `take` is called. `bytes` is about what the texts take that it holds.

    As the groups grow towards `max_groups`, samples are thinned first, then metadata is left out, and at
    last new patterns share the overflow pattern: memory is bounded and totals stay exact.
    """

    def __init__(
        self,
        bucket_seconds: int,
        max_groups: int,
        max_samples: int,
        group_by: tuple[str, ...] = (),
    ) -> None:
        self._bucket_us = bucket_seconds * 1_000_000
        self.max_groups = max_groups
        self._max_samples = max_samples
        self._group_by = group_by
        self._groups: dict[tuple[int, str, str, str, str], _Group] = {}
        self.tally = Tally()
        self.logs = 0
        self.bytes = 0
        self.overflowed = 0
        self.garbled = False

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, records: list[Record]) -> None:
        """Count a batch. Records without a pattern use their message.

        Raises `UnsoundError`, before anything is counted, when a field of a record has not its type.
        """
        kinds = [_Kind(key, same) for key, same in _by_kind(records).items()]
        self.logs += len(records)
        for kind in kinds:
            self.tally.count(kind.level, kind.source, len(kind.records))
            if kind.pattern:
                self._add_kind(kind)
            else:
                for record in kind.records:
                    self._add_kind(_Kind((record.message, *_kind(record)[1:]), [record]))

    def _add_kind(self, kind: _Kind) -> None:
        bucket = kind.oldest.timestamp // self._bucket_us
        if not self._group_by and bucket == kind.newest.timestamp // self._bucket_us:
            self._add_group((bucket, kind.pattern, kind.level, kind.source, ""), kind)
            return
        parts: dict[tuple[int, str], list[Record]] = {}
        for record in kind.records:
            parts.setdefault((record.timestamp // self._bucket_us, self._group_of(record)), []).append(record)
        for (start, group), part in parts.items():
            self._add_group((start, kind.pattern, kind.level, kind.source, group), _Kind(kind.key, part))

    def _add_group(self, key: tuple[int, str, str, str, str], kind: _Kind) -> None:
        oldest, newest, logs = kind.oldest, kind.newest, len(kind.records)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self.max_groups:
                key = (key[0], OVERFLOW_PATTERN, key[2], key[3], "")
                self.overflowed += logs
            group = self._groups.setdefault(key, _Group(oldest))
            self.bytes += _GROUP_COST + len(key[1]) + 2 * len(oldest.message)
        group.count += logs
        if oldest.timestamp < group.first[0]:
            group.first = (oldest.timestamp, oldest.message)
        if newest.timestamp >= group.latest[0]:
            group.latest = (newest.timestamp, newest.message)
        gathered = len(self._groups)
        if gathered < self.max_groups * 0.5 and len(group.others) < _OTHERS:
            message = kind.records[logs // 2].message
            group.others.add(message)
            self.bytes += len(message)
        if gathered < self.max_groups * 0.75:
            group.describe(kind)

    def _group_of(self, record: Record) -> str:
        if not self._group_by:
            return ""
        chosen = {key: record.metadata[key] for key in self._group_by if key in record.metadata}
        try:
            return msgspec.json.encode(chosen, order="sorted").decode()[:512] if chosen else ""
        except (TypeError, ValueError, RecursionError, OverflowError):
            self.garbled = True
            return ""

    def take(self) -> list[Aggregate]:
        """The aggregates gathered so far; the fold is empty afterwards."""
        groups, self._groups = self._groups, {}
        self.logs = self.bytes = 0
        bucket_seconds = self._bucket_us // 1_000_000
        return [self._aggregate(key, group, key[0] * bucket_seconds) for key, group in groups.items()]

    def _aggregate(self, key: tuple[int, str, str, str, str], group: _Group, bucket: int) -> Aggregate:
        if group.pending:
            group.summarize_pending()
        self.garbled |= group.garbled
        return Aggregate(
            bucket=bucket,
            pattern=key[1],
            level=key[2],
            source=key[3],
            count=group.count,
            first_seen=group.first[0],
            last_seen=group.latest[0],
            group=key[4],
            metadata=group.metadata,
            samples=choose(group.first[1], group.latest[1], group.others, self._max_samples),
            categories=group.categories,
            tags=group.tags,
        )


def _by_kind(records: list[Record]) -> dict[tuple[Any, ...], list[Record]]:
    kinds: dict[tuple[Any, ...], list[Record]] = {}
    get = kinds.get
    try:
        for key, record in zip(map(_kind, records), records, strict=True):
            same = get(key)
            if same is None:
                kinds[key] = [record]
            else:
                same.append(record)
    except TypeError as error:
        raise UnsoundError("a field cannot be compared") from error
    return kinds
