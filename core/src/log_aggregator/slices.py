"""How many records cross the stages at once: by number, and by what their messages hold."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator.batch import Batch
from log_aggregator.record import Record

RECORDS = 2000
"""Records of one slice: small enough that requests are answered in between."""

CHARACTERS = 200_000
"""Characters of messages of one slice: what no stage has seen before costs up to 1 µs a character."""


def slices(records: list[Record]) -> Iterator[Batch]:
    """The records in parts that do not hold the event loop up for long. No part is empty."""
    for start in range(0, len(records), RECORDS):
        part = records[start : start + RECORDS] if len(records) > RECORDS else records
        if _characters(part) <= CHARACTERS:
            yield Batch(part)
        else:
            yield from map(Batch, _by_characters(part))


def _by_characters(records: list[Record]) -> Iterator[list[Record]]:
    start = characters = 0
    for end, record in enumerate(records):
        length = _characters([record])
        if end > start and characters + length > CHARACTERS:
            yield records[start:end]
            start, characters = end, 0
        characters += length
    yield records[start:]


def _characters(records: list[Record]) -> int:
    try:
        return sum([len(record.message) for record in records])
    except TypeError:  # a plugin left a message that is no text; whoever looks at types sees to it
        return 0
