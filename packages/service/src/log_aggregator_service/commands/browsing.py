"""What keys do in `top`: another order, a search, a row that is chosen, and the pattern that it opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from log_aggregator_service.commands.screen import plain

ORDERS = ("count", "newest")
HELP = "s: order   /: search   j k: choose   Enter: open   q: end"
_ARROWS = {"\x1b[A": "k", "\x1b[B": "j"}
_KEY = re.compile(r"\x1b\[[A-Z0-9;~]*|.", re.DOTALL)

Row = Mapping[str, Any]


class Browsing:
    """The state between two looks. `line_of(row)` writes a row, `open_pattern(id)` gives the lines of a pattern."""

    def __init__(
        self, order: str, search: str, line_of: Callable[[Row], str], open_pattern: Callable[[str], list[str]]
    ) -> None:
        self.order = order
        self.search = search
        self._line_of = line_of
        self._open_pattern = open_pattern
        self._typed: str | None = None
        self._opened: list[str] | None = None
        self._chosen = ""

    def press(self, pressed: str, rows: Sequence[Row]) -> bool:
        """Take what was pressed; `False` when it ends the command."""
        return all(self._press(_ARROWS.get(key, key), rows) for key in _KEY.findall(pressed))

    def _press(self, key: str, rows: Sequence[Row]) -> bool:
        if self._typed is not None:
            self._type(key)
        elif key in "qQ":
            return False
        elif self._opened is not None:
            self._opened = None
        elif key == "s":
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        elif key == "/":
            self._typed = self.search
        elif key in "jk" and rows:
            place = self._place(rows)
            step = 1 if key == "j" else -1
            self._chosen = rows[0 if place is None else min(len(rows) - 1, max(0, place + step))]["pattern_id"]
        elif key in "\r\n" and self._place(rows) is not None:
            self._opened = [*self._open_pattern(self._chosen), "", "any key: back   q: end"]
        return True

    def _type(self, key: str) -> None:
        typed = self._typed or ""
        if key in "\r\n":
            self.search, self._typed = typed.strip(), None
        elif key == "\x1b":
            self._typed = None
        elif key in "\x7f\b":
            self._typed = typed[:-1]
        elif key.isprintable():
            self._typed = typed + key

    def _place(self, rows: Sequence[Row]) -> int | None:
        return next((place for place, row in enumerate(rows) if row["pattern_id"] == self._chosen), None)

    def lines(self, head: Sequence[str], rows: Sequence[Row], height: int) -> Iterator[str]:
        """The screen: an opened pattern, or the head and the rows around the chosen one, and what keys do."""
        if self._opened is not None:
            yield from self._opened
            return
        yield from head
        place = self._place(rows)
        room = max(1, height - len(head) - 1)
        first = 0 if place is None else max(0, place - room + 1)
        for row in rows[first : first + room]:
            yield f"{'>' if row['pattern_id'] == self._chosen else ' '}{self._line_of(row)[1:]}"
        if self._typed is not None:
            yield f"search: {plain(self._typed)}_"
        else:
            yield f"{HELP}{f'   search: {plain(self.search)}' if self.search else ''}"
