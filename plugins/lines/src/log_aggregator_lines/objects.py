"""Lines that hold several JSON objects: some senders write no line feed between them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

_decoder = json.JSONDecoder()


def objects_in(line: str) -> Iterator[str]:
    """The logs of a line: the objects when it is several, one behind the other; else the line. Blank lines are none."""
    if line.startswith("{") and "}{" in line and not _is_json(line):
        yield from _split(line)
    elif line.strip():
        yield line


def _split(line: str) -> Iterator[str]:
    begin = 0
    while begin < len(line):
        try:
            _, end = _decoder.raw_decode(line, begin)
        except (ValueError, RecursionError):
            end = len(line)
        if line[begin:end].strip():
            yield line[begin:end]
        begin = end


def _is_json(line: str) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
