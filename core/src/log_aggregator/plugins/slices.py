"""How many records cross the stages at once: by number, and by what their messages and metadata hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record

RECORDS = 2000
"""Records of one slice: small enough that requests are answered in between."""

WEIGHT = 200_000
"""Characters of messages and metadata in one slice: what no stage has seen before costs up to 1 µs a character."""

BYTES = 2 * WEIGHT
"""Bytes of a request's body or of a row of the journal that are one slice for certain."""

KEY = 8
"""Characters that a key of the metadata counts for."""


SLICE_SECONDS = 0.02
"""What a call of all `on_ingest` plugins may take before the next slice is made smaller."""

LEAST = 4_000
"""Characters of the smallest slice; a single record may have more."""

HEAVY = 2_000
"""Bytes of a record from which on a request is heavy: it begins with a small slice, because it may cost much."""

FIRST = 20_000
"""Characters of the first slice of a heavy request."""


class Pace:
    """How much the next slice may hold: as much as the plugins took `SLICE_SECONDS` for, by what they just took.

    What no plugin has seen before costs up to a hundred times as much as what they know.
    """

    def __init__(self) -> None:
        self.characters = WEIGHT

    def begin(self, records: int, size: int | None) -> None:
        """Begin with a request of so many records and bytes."""
        if size is not None and size > HEAVY * records:
            self.characters = min(self.characters, FIRST)

    @contextmanager
    def timing(self, size: int) -> Iterator[None]:
        """Time the call over a slice of about so many characters."""
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            if seconds > SLICE_SECONDS:
                self.characters = max(LEAST, min(self.characters, int(size * SLICE_SECONDS / seconds)))
            else:
                self.characters = min(WEIGHT, max(self.characters * 2, LEAST))

    def is_one_slice(self, records: int, size: int) -> bool:
        """Whether a request is one slice for certain."""
        bytes_at_most = min(BYTES, 2 * self.characters, max(FIRST, HEAVY * records))
        return records <= RECORDS and size <= bytes_at_most


def is_one_slice(records: int, size: int | None) -> bool:
    """Whether so many records, which came as `size` bytes, are one slice for certain. `None`: the size is unknown."""
    return size is not None and records <= RECORDS and size <= BYTES


def slices(batch: WorkingBatch, size: int | None = None) -> Iterator[WorkingBatch]:
    """A batch in parts that do not hold the event loop up for long: itself when it is small. No part is empty.

    `size`: the bytes that the records took, where it is known; that saves looking at each of them.
    """
    if is_one_slice(batch.size, size):
        if batch.size:
            yield batch
        return
    weights = list(map(weight, batch.records()))
    if batch.size <= RECORDS and sum(weights) <= WEIGHT:
        if batch.size:
            yield batch
        return
    start = heavy = 0
    for place, more in enumerate(weights):
        if place > start and (heavy + more > WEIGHT or place - start >= RECORDS):
            yield batch.slice(start, place)
            start, heavy = place, 0
        heavy += more
    yield batch.slice(start, len(weights))


def paced_slices(batch: WorkingBatch, pace: Pace) -> Iterator[tuple[WorkingBatch, int]]:
    """A batch in parts with their characters. Each is as large as `pace` says when it is made. No part is empty."""
    weights = list(map(weight, batch.records()))
    start = 0
    while start < len(weights):
        stop, heavy = start + 1, weights[start]
        while stop < len(weights) and stop - start < RECORDS and heavy + weights[stop] <= pace.characters:
            heavy += weights[stop]
            stop += 1
        yield batch.slice(start, stop), heavy
        start = stop


def weight(record: Record) -> int:
    """About what a record costs the stages, in characters of its message and metadata."""
    try:
        total = len(record.message)
        return total + _size(record.metadata) if record.metadata else total
    except (TypeError, AttributeError):  # a plugin left something else in their place; the inspector sees to it
        return 0


def _size(value: Any) -> int:
    """About how many characters a metadata value has. A key that no stage has seen before costs as much as a text."""
    if type(value) is str:
        return len(value)
    if type(value) is dict:
        return sum([KEY + _size(inner) for inner in value.values()])
    if isinstance(value, list | tuple):
        return sum([KEY + _size(inner) for inner in value])
    return KEY
