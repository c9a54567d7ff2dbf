"""Docker's fluentd driver cuts lines at 16 KiB: the pieces carry one id, and are joined here."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

MOST_LINES = 64
MOST_BYTES = 4 * 1024 * 1024


class Piece(NamedTuple):
    """A record with the tag and the time that it came with."""

    tag: str
    time: Any
    record: Any


class Pieces:
    """Lines of which more is to come."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, list[Piece]] = OrderedDict()
        self._bytes = 0

    def join(self, piece: Piece) -> list[Piece]:
        """What is whole now: the piece itself when it is a whole record."""
        record = piece.record
        if not isinstance(record, dict):  # refused later, with the records that hold no text
            return [piece]
        name = record.get("partial_id")
        if name is None:
            return [piece]
        if str(record.get("partial_message")).lower() != "true" or not isinstance(name, str):
            return [piece]
        pieces = self._lines.setdefault(name, [])
        pieces.append(piece)
        self._bytes += len(str(record.get("log", "")))
        if str(record.get("partial_last")).lower() == "true":
            return [self._whole(name)]
        whole = []
        while len(self._lines) > MOST_LINES or self._bytes > MOST_BYTES:
            whole.append(self._whole(next(iter(self._lines))))
        return whole

    def rest(self) -> list[Piece]:
        """What the lines are without the pieces that never came."""
        return [self._whole(name) for name in list(self._lines)]

    def _whole(self, name: str) -> Piece:
        pieces = sorted(self._lines.pop(name), key=_ordinal)
        text = "".join(str(piece.record.get("log", "")) for piece in pieces)
        self._bytes -= len(text)
        first = pieces[0]
        record = {key: value for key, value in first.record.items() if not key.startswith("partial_")}
        return first._replace(record=record | {"log": text})


def _ordinal(piece: Piece) -> int:
    try:
        return int(piece.record.get("partial_ordinal", 0))
    except (TypeError, ValueError):
        return 0
