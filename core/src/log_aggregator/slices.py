"""How many records cross the stages at once: by number, and by what their messages hold."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from log_aggregator.record import Record

RECORDS = 1000
"""Records of one slice: small enough that requests are answered in between."""

CHARACTERS = 200_000
"""Characters of messages of one slice: what no stage has seen before costs up to 1 µs a character."""

_message = attrgetter("message")


def is_large(records: list[Record]) -> bool:
    """Whether a batch is more than four slices."""
    if len(records) > 4 * RECORDS:
        return True
    try:
        return sum(map(len, map(_message, records))) > 4 * CHARACTERS
    except TypeError:  # a plugin left a message that is no text
        return True


def slices(records: list[Record]) -> Iterator[list[Record]]:
    """The records in parts that do not hold the event loop up for long. No part is empty."""
    start = characters = 0
    for end, record in enumerate(records):
        length = len(record.message) if type(record.message) is str else 0
        if end > start and (end - start == RECORDS or characters + length > CHARACTERS):
            yield records[start:end]
            start, characters = end, 0
        characters += length
    if start < len(records):
        yield records[start:]
