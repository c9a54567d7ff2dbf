"""How many records cross the stages at once: by number, and by what their messages hold."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator.model.batch import Batch
from log_aggregator.model.record import Record

RECORDS = 2000
"""Records of one slice: small enough that requests are answered in between."""

CHARACTERS = 200_000
"""Characters of messages of one slice: what no stage has seen before costs up to 1 µs a character."""


def slices(batch: Batch) -> Iterator[Batch]:
    """A batch in parts that do not hold the event loop up for long: itself when it is small. No part is empty."""
    if 0 < batch.size <= RECORDS and _characters(batch) <= CHARACTERS:
        yield batch
        return
    records = batch.records()
    for start in range(0, len(records), RECORDS):
        part = Batch(records[start : start + RECORDS])
        if _characters(part) <= CHARACTERS:
            yield part
        else:
            yield from map(Batch, _by_characters(part.records()))


def _by_characters(records: list[Record]) -> Iterator[list[Record]]:
    start = characters = 0
    for end, record in enumerate(records):
        length = len(record.message)
        if end > start and characters + length > CHARACTERS:
            yield records[start:end]
            start, characters = end, 0
        characters += length
    yield records[start:]


def _characters(batch: Batch) -> int:
    try:
        return batch.characters
    except TypeError:  # a plugin left a message that is no text; whoever looks at types sees to it
        return 0
