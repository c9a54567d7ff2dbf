"""Records of one batch → partial aggregates, which need the records no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.group import Group, metadata_of, records_of
from log_aggregator.model.record import Record
from log_aggregator.model.validation import UNENCODABLE

Some = TypeVar("Some")

Key = tuple[int, str, str, str, str]
"""Bucket (its start, in seconds since the epoch), pattern, level, source, group."""

_Annotations = tuple[str, str, str, str, tuple[str, ...]]

_OneByOne = list[tuple[Record, dict[str, Any]]]
"""Records, each with its metadata."""


class InvalidRecordError(TypeError):
    """A plugin left a field of a record with a wrong type."""


class PartialAggregate(msgspec.Struct, gc=False):
    """Logs of one batch with the same key and annotations.

    `first` and `latest` are time and message of the oldest and the newest, `between` is another message, `metadata`
    holds the metadata of those that have any.
    """

    key: Key
    category: str
    tags: tuple[str, ...]
    logs: int
    first: tuple[int, str]
    latest: tuple[int, str]
    between: str
    metadata: list[dict[str, Any]]


class PreAggregator:
    """Aggregates one batch at a time, by bucket, annotations and chosen metadata keys (`group_by`)."""

    def __init__(self, bucket_seconds: int, group_by: tuple[str, ...] = ()) -> None:
        self._seconds = bucket_seconds
        self._bucket_us = bucket_seconds * 1_000_000
        self._group_by = group_by
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
        first, latest = records_of(groups[0])[0], records_of(groups[0])[-1]
        logs = 0
        metadata: list[dict[str, Any]] = []
        for group in groups:
            records = records_of(group)
            logs += len(records)
            if records[0].timestamp < first.timestamp:
                first = records[0]
            if records[-1].timestamp > latest.timestamp:
                latest = records[-1]
            metadata += [sent for sent in metadata_of(group) if sent]
        bucket = first.timestamp // self._bucket_us
        if bucket != latest.timestamp // self._bucket_us:
            return None
        pattern, level, source, category, tags = annotations
        return PartialAggregate(
            (bucket * self._seconds, pattern, level, source, ""),
            category,
            tags,
            logs,
            (first.timestamp, first.message),
            (latest.timestamp, latest.message),
            _middle(records_of(_middle(groups))).message,
            _checked(metadata),
        )

    def _aggregate(self, annotations: _Annotations, records: _OneByOne) -> list[PartialAggregate]:
        pattern, level, source, category, tags = annotations
        found: defaultdict[Key, _OneByOne] = defaultdict(list)
        for record, metadata in records:
            bucket = record.timestamp // self._bucket_us
            found[bucket * self._seconds, pattern, level, source, self._group_of(metadata)].append((record, metadata))
        return [_aggregated(key, category, tags, same) for key, same in found.items()]

    def _group_of(self, metadata: dict[str, Any]) -> str:
        chosen = {key: metadata[key] for key in self._group_by if key in metadata}
        try:
            return msgspec.json.encode(chosen, order="sorted").decode()[:512] if chosen else ""
        except (TypeError, ValueError, RecursionError, OverflowError):
            self.found_invalid = True
            return ""


def _aggregated(key: Key, category: str, tags: tuple[str, ...], records: _OneByOne) -> PartialAggregate:
    times = [record.timestamp for record, _ in records]
    oldest, newest = min(times), max(times)
    first, latest = records[times.index(oldest)][0], records[times.index(newest)][0]
    return PartialAggregate(
        key,
        category,
        tags,
        len(records),
        (oldest, first.message),
        (newest, latest.message),
        _middle(records)[0].message,
        _checked([metadata for _, metadata in records if metadata]),
    )


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
            found[group.pattern, group.level, group.source, group.category, group.tags].append(group)
    except UNENCODABLE as error:
        raise InvalidRecordError("a field has not its type") from error
    if found:
        *texts, tags = zip(*found, strict=True)
        if (
            not all(set(map(type, column)) == {str} for column in texts)
            or set(map(type, tags)) != {tuple}
            or not {str}.issuperset(map(type, chain.from_iterable(tags)))
        ):
            raise InvalidRecordError("a field has not its type")
    return found
