"""Records → kinds: what of one batch agrees in all that is counted together, summed up so that the records can go."""

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

_Said = tuple[str, str, str, str, tuple[str, ...]]

_OneByOne = list[tuple[Record, dict[str, Any]]]
"""Records, each with its metadata."""


class InvalidRecordError(TypeError):
    """A record has a field of a wrong type: a plugin left it so."""


class PartialAggregate(msgspec.Struct, gc=False):
    """Logs of one batch that are counted together and of which every stage said the same.

    Holds no records: `first`, `latest` and `between` are times and messages of some of them, `metadata` what
    those had that had any.
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
    """Sorts batches into kinds: by bucket, by what the stages said, and by chosen metadata keys (`group_by`)."""

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
        kinds: list[PartialAggregate] = []
        for said, parts in _by_what_was_said(batch).items():
            if not said[0]:
                for record, metadata in _one_by_one(parts):
                    kinds += self._kinds((record.message, *said[1:]), [(record, metadata)])
            elif batch.is_ordered and not self._group_by and (kind := self._kind_of_ordered(said, parts)):
                kinds.append(kind)
            else:
                kinds += self._kinds(said, _one_by_one(parts))
        return kinds

    def _kind_of_ordered(self, said: _Said, parts: list[Group]) -> PartialAggregate | None:
        """The kind of records whose times ascend in each part; `None` when they fall into several buckets.

        Looks at the ends of the parts only.
        """
        first, latest = records_of(parts[0])[0], records_of(parts[0])[-1]
        logs = 0
        metadata: list[dict[str, Any]] = []
        for part in parts:
            records = records_of(part)
            logs += len(records)
            if records[0].timestamp < first.timestamp:
                first = records[0]
            if records[-1].timestamp > latest.timestamp:
                latest = records[-1]
            metadata += [sent for sent in metadata_of(part) if sent]
        bucket = first.timestamp // self._bucket_us
        if bucket != latest.timestamp // self._bucket_us:
            return None
        pattern, level, source, category, tags = said
        return PartialAggregate(
            (bucket * self._seconds, pattern, level, source, ""),
            category,
            tags,
            logs,
            (first.timestamp, first.message),
            (latest.timestamp, latest.message),
            _middle(records_of(_middle(parts))).message,
            _sound(metadata),
        )

    def _kinds(self, said: _Said, records: _OneByOne) -> list[PartialAggregate]:
        pattern, level, source, category, tags = said
        found: defaultdict[Key, _OneByOne] = defaultdict(list)
        for record, metadata in records:
            bucket = record.timestamp // self._bucket_us
            found[bucket * self._seconds, pattern, level, source, self._group_of(metadata)].append((record, metadata))
        return [_kind(key, category, tags, same) for key, same in found.items()]

    def _group_of(self, metadata: dict[str, Any]) -> str:
        chosen = {key: metadata[key] for key in self._group_by if key in metadata}
        try:
            return msgspec.json.encode(chosen, order="sorted").decode()[:512] if chosen else ""
        except (TypeError, ValueError, RecursionError, OverflowError):
            self.found_invalid = True
            return ""


def _kind(key: Key, category: str, tags: tuple[str, ...], records: _OneByOne) -> PartialAggregate:
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
        _sound([metadata for _, metadata in records if metadata]),
    )


def _sound(metadata: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if metadata and not {dict}.issuperset(map(type, metadata)):
        raise InvalidRecordError("metadata has not its type")
    return metadata


def _middle(of: Sequence[Some]) -> Some:
    return of[len(of) // 2]


def _one_by_one(parts: list[Group]) -> _OneByOne:
    return [both for part in parts for both in zip(records_of(part), metadata_of(part), strict=True)]


def _by_what_was_said(batch: WorkingBatch) -> dict[_Said, list[Group]]:
    """The parts of a batch with equal annotations. Raises `InvalidRecordError` when a field has a wrong type."""
    found: defaultdict[_Said, list[Group]] = defaultdict(list)
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
