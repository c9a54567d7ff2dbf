"""A log file or standard input as batches of records for the stages, without a service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from log_aggregator.model.fields.text import clean, is_dirty
from log_aggregator.model.record import Record
from log_aggregator_reader import Input, quick_records

_AT_ONCE = 20_000


def batches_of(name: str, now: int, *, is_joined: bool) -> Iterator[list[Record]]:
    """The records of a file, compressed or not; `-` is standard input, of which every line is a record.

    `now` is the time of records that have none. In a file, lines that belong together are one record unless `is_joined`
    is false, and blank lines are none; of standard input they keep their place. Raises `OSError`, and `ValueError` when
    compressed data is broken.
    """
    if name == "-":
        yield from _lines(Input(0), now)
        return
    source = Input.of(Path(name))
    try:
        if is_joined:
            yield from _joined(source, now)
        else:
            yield from ([one for one in batch if one.message.strip()] for batch in _lines(source, now))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    finally:
        source.close()


def _joined(source: Input, now: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    metadata: dict[str, Any] = {}
    for found in quick_records(source.text()):
        if isinstance(found, bytes):
            together = found.decode("utf-8", "backslashreplace")
            texts = together.split("\n")
            is_any_dirty = is_dirty(together)
        else:
            texts = [whole.decode("utf-8", "backslashreplace") for whole in found]
            is_any_dirty = any(map(is_dirty, texts))
        if is_any_dirty:
            texts = [clean(text) if is_dirty(text) else text for text in texts]
        batch += [Record(text, "INFO", "-", now, metadata, False) for text in texts]
        if len(batch) >= _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _lines(source: Input, now: int) -> Iterator[list[Record]]:
    """Lines as records, some megabytes together: several times faster than looking for those that belong together."""
    rest = b""
    for chunk in source.text():
        if chunk is None:
            continue
        whole, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            rest += chunk
            continue
        text = (rest + whole).decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        rest = tail
        yield _records(text, now)
    if rest:
        yield _records(rest.decode("utf-8", "backslashreplace").removesuffix("\r"), now)


def _records(text: str, now: int) -> list[Record]:
    """A record for each line, without colors and control characters, as the service would take it."""
    metadata: dict[str, Any] = {}
    if is_dirty(text):
        text = "\n".join([clean(line.replace("\r", " ")) for line in text.split("\n")])
    return [Record(line, "INFO", "-", now, metadata, False) for line in text.split("\n")]
