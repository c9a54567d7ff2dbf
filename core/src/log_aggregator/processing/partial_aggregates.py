"""Records of one batch → partial aggregates, which need the records no more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.group import Group, metadata_of, records_of, weight_of
from log_aggregator.model.record import MAX_WEIGHT, Record
from log_aggregator.model.validation import UNENCODABLE
from log_aggregator.model.variables import variable_names

Some = TypeVar("Some")

Key = tuple[int, str, str, str, str]
"""Bucket (its start, in seconds since the epoch), pattern, level, source, group."""

Log = tuple[int, str, dict[str, Any]]
"""Time, message and metadata of one log."""

MESSAGES = 32
"""Messages of a partial aggregate that are kept to read the values of variables: of more, some that lie evenly."""

MINUTE = 60

_MINUTE_US = MINUTE * 1_000_000

_Annotations = tuple[str, str, str, str, tuple[str, ...], int]

_OneByOne = list[tuple[Record, dict[str, Any]]]
"""Records, each with its metadata."""


class InvalidRecordError(TypeError):
    """A plugin left a field of a record with a wrong type."""


class PartialAggregate(msgspec.Struct, gc=False):
    """Logs of one batch with the same key and annotations.

    `logs` counts them by their `weight`, which all records have; `minutes` does so by minute of the bucket. `first`
    and `latest` are the oldest and the newest, `between` is another one. `metadata` holds the metadata of those that
    have any. `messages` are some messages to read the values of the pattern's placeholders from; empty without these.
    """

    key: Key
    category: str
    tags: tuple[str, ...]
    logs: int
    first: Log
    latest: Log
    between: Log
    metadata: list[dict[str, Any]]
    weight: int = 1
    minutes: dict[int, int] = {}
    messages: list[str] = []


class PreAggregator:
    """Aggregates one batch at a time, by bucket, annotations and chosen metadata keys (`group_by`)."""

    def __init__(self, bucket_seconds: int, group_by: tuple[str, ...] = ()) -> None:
        self._seconds = bucket_seconds
        self._bucket_us = bucket_seconds * 1_000_000
        self._group_by = group_by
        self._has_minutes = MINUTE < bucket_seconds <= 60 * MINUTE and bucket_seconds % MINUTE == 0
        self.found_invalid = False

    def sort(self, batch: WorkingBatch) -> list[PartialAggregate]:
        """The partial aggregates of a batch. Records without a pattern use their message.

        Raises `InvalidRecordError` when a field of a record has not its type. `found_invalid` is set when metadata
        that was to be grouped by cannot be encoded.
        """
        try:
            return self._sorted(batch)
        except InvalidRecordError:
            raise
        except (AttributeError, TypeError) as error:
            raise InvalidRecordError("a field has not its type") from error

    def _sorted(self, batch: WorkingBatch) -> list[PartialAggregate]:
        found: list[PartialAggregate] = []
        for agreed, groups in _by_annotations(batch).items():
            if not agreed[0]:
                for record, metadata in _one_by_one(groups):
                    found += self._aggregate((record.message, *agreed[1:]), [(record, metadata)])
            elif batch.is_ordered and not self._group_by and (one := self._aggregate_ordered(agreed, groups)):
                found.append(one)
            else:
                found += self._aggregate(agreed, _one_by_one(groups))
        return found

    def _aggregate_ordered(self, annotations: _Annotations, groups: list[Group]) -> PartialAggregate | None:
        """Aggregate groups in each of which the times ascend; `None` when they fall into several buckets.

        Only the first and the last record of each group are inspected.
        """
        of_first = of_latest = middle = groups[0]
        all_records = records_of(of_first)
        metadata = [sent for sent in metadata_of(of_first) if sent]
        if len(groups) > 1:
            all_records, middle = [], _middle(groups)
            metadata = [sent for group in groups for sent in metadata_of(group) if sent]
            for group in groups:
                records = records_of(group)
                all_records += records
                if records[0].timestamp < records_of(of_first)[0].timestamp:
                    of_first = group
                if records[-1].timestamp > records_of(of_latest)[-1].timestamp:
                    of_latest = group
        first, latest = records_of(of_first)[0], records_of(of_latest)[-1]
        bucket = first.timestamp // self._bucket_us
        if bucket != latest.timestamp // self._bucket_us:
            return None
        pattern, level, source, category, tags, weight = annotations
        logs = len(all_records)
        return PartialAggregate(
            (bucket * self._seconds, pattern, level, source, ""),
            category,
            tags,
            logs * weight,
            (first.timestamp, first.message, metadata_of(of_first)[0]),
            (latest.timestamp, latest.message, metadata_of(of_latest)[-1]),
            _log(_middle(records_of(middle)), _middle(metadata_of(middle))),
            _checked(metadata),
            weight,
            self._minutes(first, latest, logs, all_records, weight),
            _messages(pattern, all_records, logs),
        )

    def _minutes(
        self, first: Record, latest: Record, logs: int, records: Iterable[Record], weight: int
    ) -> dict[int, int]:
        """How many logs came in each minute of their bucket. Only of several minutes is each record inspected."""
        if not self._has_minutes:
            return {}
        start = first.timestamp // self._bucket_us * self._bucket_us
        minute = (first.timestamp - start) // _MINUTE_US
        if minute == (latest.timestamp - start) // _MINUTE_US:
            return {minute: logs * weight}
        counts = Counter([(record.timestamp - start) // _MINUTE_US for record in records])
        return {minute: count * weight for minute, count in counts.items()}

    def _aggregate(self, annotations: _Annotations, records: _OneByOne) -> list[PartialAggregate]:
        pattern, level, source, category, tags, weight = annotations
        found: defaultdict[Key, _OneByOne] = defaultdict(list)
        for record, metadata in records:
            bucket = record.timestamp // self._bucket_us
            found[bucket * self._seconds, pattern, level, source, self._group_of(metadata)].append((record, metadata))
        return [self._aggregated(key, category, tags, weight, same) for key, same in found.items()]

    def _aggregated(
        self, key: Key, category: str, tags: tuple[str, ...], weight: int, both: _OneByOne
    ) -> PartialAggregate:
        records = [record for record, _ in both]
        times = [record.timestamp for record in records]
        oldest, newest = times.index(min(times)), times.index(max(times))
        return PartialAggregate(
            key,
            category,
            tags,
            len(both) * weight,
            _log(*both[oldest]),
            _log(*both[newest]),
            _log(*_middle(both)),
            _checked([metadata for _, metadata in both if metadata]),
            weight,
            self._minutes(records[oldest], records[newest], len(both), records, weight),
            _messages(key[1], records, len(records)),
        )

    def _group_of(self, metadata: dict[str, Any]) -> str:
        chosen = {key: metadata[key] for key in self._group_by if key in metadata}
        try:
            return msgspec.json.encode(chosen, order="sorted").decode()[:512] if chosen else ""
        except (TypeError, ValueError, RecursionError, OverflowError):
            self.found_invalid = True
            return ""


def _log(record: Record, metadata: dict[str, Any]) -> Log:
    return record.timestamp, record.message, metadata


def _messages(pattern: str, records: Sequence[Record], logs: int) -> list[str]:
    """Some of the messages, evenly, when their pattern has placeholders."""
    if not variable_names(pattern):
        return []
    return [record.message for record in records[:: (logs - 1) // MESSAGES + 1]]


def _checked(metadata: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if metadata and not {dict}.issuperset(map(type, metadata)):
        raise InvalidRecordError("metadata has not its type")
    return metadata


def _middle(of: Sequence[Some]) -> Some:
    return of[len(of) // 2]


def _one_by_one(groups: list[Group]) -> _OneByOne:
    return [both for group in groups for both in zip(records_of(group), metadata_of(group), strict=True)]


def _by_annotations(batch: WorkingBatch) -> dict[_Annotations, list[Group]]:
    """The groups of a batch with equal annotations. Raises `InvalidRecordError` when a field has a wrong type."""
    found: defaultdict[_Annotations, list[Group]] = defaultdict(list)
    try:
        for group in batch.all_groups():
            found[group.pattern, group.level, group.source, group.category, group.tags, weight_of(group)].append(group)
    except UNENCODABLE as error:
        raise InvalidRecordError("a field has not its type") from error
    if found:
        *texts, tags, weights = zip(*found, strict=True)
        if (
            set(map(type, weights)) != {int}
            or min(weights) < 1
            or max(weights) > MAX_WEIGHT
            or not all(set(map(type, column)) == {str} for column in texts)
            or set(map(type, tags)) != {tuple}
            or not {str}.issuperset(map(type, chain.from_iterable(tags)))
        ):
            raise InvalidRecordError("a field has not its type")
    return found
