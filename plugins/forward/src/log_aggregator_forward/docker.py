"""Docker's fluentd driver cuts lines at 16 KiB: the pieces carry one id, and are joined here."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

MOST_LINES = 64
MOST_BYTES = 4 * 1024 * 1024


class Pieces:
    """Lines of one connection of which more is to come."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._bytes = 0

    def join(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """The records that are whole now: the record itself when it is no piece."""
        name = record.get("partial_id")
        if str(record.get("partial_message")).lower() != "true" or not isinstance(name, str):
            return [record]
        pieces = self._lines.setdefault(name, [])
        pieces.append(record)
        self._bytes += len(str(record.get("log", "")))
        if str(record.get("partial_last")).lower() == "true":
            return [self._whole(name)]
        whole = []
        while len(self._lines) > MOST_LINES or self._bytes > MOST_BYTES:
            whole.append(self._whole(next(iter(self._lines))))
        return whole

    def rest(self) -> list[dict[str, Any]]:
        """What the lines are without the pieces that never came."""
        return [self._whole(name) for name in list(self._lines)]

    def _whole(self, name: str) -> dict[str, Any]:
        pieces = sorted(self._lines.pop(name), key=_ordinal)
        text = "".join(str(piece.get("log", "")) for piece in pieces)
        self._bytes -= len(text)
        return {key: value for key, value in pieces[0].items() if not key.startswith("partial_")} | {"log": text}


def _ordinal(piece: dict[str, Any]) -> int:
    try:
        return int(piece.get("partial_ordinal", 0))
    except (TypeError, ValueError):
        return 0
