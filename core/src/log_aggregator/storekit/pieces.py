"""How rows are tried in pieces, and how a row that a database refuses is found among its neighbors."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

T = TypeVar("T")
Pieces = Generator[Sequence[T], bool, list[T]]


def pieces(rows: Sequence[T], size: int) -> Pieces[T]:
    """Yield pieces to try, in order; send `True` when a piece was taken, `False` when it was refused.

    A refused piece is halved and its halves are yielded, until a single row is refused: that is a
    poison row. Returns the poison rows. One poison row in n costs about 2·log2(n) more tries.
    """
    poison: list[T] = []
    waiting = [rows[start : start + size] for start in range(0, len(rows), size)]
    waiting.reverse()
    while waiting:
        piece = waiting.pop()
        if (yield piece):
            continue
        if len(piece) == 1:
            poison.append(piece[0])
            continue
        middle = len(piece) // 2
        waiting += [piece[middle:], piece[:middle]]
    return poison
