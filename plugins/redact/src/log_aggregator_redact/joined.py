"""Many texts that are searched as one: a search of a long text costs little more than that of a short one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

FEW = 8
"""So many texts are searched one by one."""


class Joined:
    """Texts that are compared with gates together."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = texts
        self._ends = list(accumulate([len(one) + 1 for one in texts]))
        self._whole = b"\n".join(texts)

    def touched(self, gate: Callable[[bytes], Iterable[Any]]) -> set[int]:
        """The places of texts that a match in all of them together touches: those with a match of their own and others.

        `gate` is the `finditer` of an expression.
        """
        found: set[int] = set()
        for match in gate(self._whole):
            start, stop = match.span()
            found.update(range(bisect_right(self._ends, start), bisect_left(self._ends, stop) + 1))
        return found

    def passing(self, search: Callable[[bytes], object], gate: Callable[[bytes], Iterable[Any]]) -> list[int]:
        """The places of texts in which there is a match. `search` and `gate` are of the same expression."""
        texts = self.texts
        if len(texts) <= FEW:
            return [place for place, text in enumerate(texts) if search(text)]
        return [place for place in sorted(self.touched(gate)) if place < len(texts) and search(texts[place])]
