"""Records → kinds: what of one batch agrees in all that is counted together, summed up so that the records can go."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from log_aggregator.record import Record

_INT, _STR, _DICT, _TUPLE = {int}, {str}, {dict}, {tuple}

_when = attrgetter("timestamp")

Key = tuple[int, str, str, str, str]
"""Bucket (its start, in seconds since the epoch), pattern, level, source, group."""

_Said = tuple[str, str, str, str, tuple[str, ...]]


class UnsoundError(TypeError):
    """A record has a field of a wrong type: a plugin left it so."""


class Kind(msgspec.Struct, gc=False):
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


class Sorter:
    """Sorts batches into kinds: by bucket, by what the stages said, and by chosen metadata keys (`group_by`)."""

    def __init__(self, bucket_seconds: int, group_by: tuple[str, ...] = ()) -> None:
        self._seconds = bucket_seconds
        self._bucket_us = bucket_seconds * 1_000_000
        self._group_by = group_by
        self.garbled = False

    def sort(self, records: list[Record]) -> list[Kind]:
        """The kinds of a batch. Records without a pattern use their message.

        Raises `UnsoundError` when a field of a record has not its type. `garbled` is set when metadata that was
        to be grouped by cannot be written down.
        """
        kinds: list[Kind] = []
        if not records:
            return kinds
        found = _by_what_was_said(records)
        _check(found, records)
        for said, same in found.items():
            if said[0]:
                kinds += self._kinds(said, same)
            else:
                if {type(record.message) for record in same} != _STR:
                    raise UnsoundError("a message has not its type")
                for record in same:
                    kinds += self._kinds((record.message, *said[1:]), [record])
        return kinds

    def _kinds(self, said: _Said, records: list[Record]) -> list[Kind]:
        pattern, level, source, category, tags = said
        times = [record.timestamp for record in records]
        oldest, newest = min(times), max(times)
        bucket = oldest // self._bucket_us
        if not self._group_by and bucket == newest // self._bucket_us:
            key = (bucket * self._seconds, pattern, level, source, "")
            return [_kind(key, category, tags, records, oldest, newest)]
        parts: dict[Key, list[Record]] = {}
        for record in records:
            bucket = record.timestamp // self._bucket_us
            key = (bucket * self._seconds, pattern, level, source, self._group_of(record))
            parts.setdefault(key, []).append(record)
        return [
            _kind(key, category, tags, part, min(map(_when, part)), max(map(_when, part)))
            for key, part in parts.items()
        ]

    def _group_of(self, record: Record) -> str:
        chosen = {key: record.metadata[key] for key in self._group_by if key in record.metadata}
        try:
            return msgspec.json.encode(chosen, order="sorted").decode()[:512] if chosen else ""
        except (TypeError, ValueError, RecursionError, OverflowError):
            self.garbled = True
            return ""


def _kind(key: Key, category: str, tags: tuple[str, ...], records: list[Record], oldest: int, newest: int) -> Kind:
    logs = len(records)
    first, latest = records[0], records[-1]
    if oldest != newest:  # else they were sent without times, and all have that of their receipt
        first, latest = min(records, key=_when), max(records, key=_when)
    return Kind(
        key,
        category,
        tags,
        logs,
        (oldest, first.message),
        (newest, latest.message),
        records[logs // 2].message,
        [record.metadata for record in records if record.metadata],
    )


def _by_what_was_said(records: list[Record]) -> dict[_Said, list[Record]]:
    found: dict[_Said, list[Record]] = {}
    get = found.get
    try:
        for record in records:  # by far quicker in Python 3.11 than `attrgetter` with several names
            said = (record.pattern, record.level, record.source, record.category, record.tags)
            same = get(said)
            if same is None:
                found[said] = [record]
            else:
                same.append(record)
    except TypeError as error:
        raise UnsoundError("a field cannot be compared") from error
    return found


def _check(found: Iterable[_Said], records: list[Record]) -> None:
    """Raise `UnsoundError` when something has not its type; by columns, which costs a tenth of a look at each field."""
    *texts, tags = zip(*found, strict=True)
    if (
        not all(set(map(type, column)) == _STR for column in texts)
        or set(map(type, tags)) != _TUPLE
        or not _STR.issuperset(map(type, chain.from_iterable(tags)))
        or {type(record.timestamp) for record in records} != _INT
        or {type(record.metadata) for record in records} != _DICT
    ):
        raise UnsoundError("a field has not its type")
