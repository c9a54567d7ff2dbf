"""By what records are grouped for our own stages: the shape, or where something varies for the first time, the outline.

The outline is never more than a guess at what varies (see `letters`): a stage may treat all messages of an outline
alike only where it shows that its rules cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from log_aggregator.model.letters import MIXED, coarser
from log_aggregator.model.vocabulary import Vocabulary

LONGEST = 4096
"""Characters of a shape that may have an outline."""

_SEEN_ONCE = 50_000
"""Shapes that came once are known: at least so many of the latest, at most twice as many."""

Key = str | tuple[str]
"""A shape, or an outline in a tuple: a message may hold the signs of an outline itself."""


class Outlines:
    """Says of shapes that come for the first time which outline they have.

    A shape that came before stands for itself: what is remembered of it is found at once.
    """

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._young: set[int] = set()
        self._old: set[int] = set()

    def keys(self, shapes: Sequence[str]) -> Sequence[Key]:
        """The key of each shape, in order: those of one key are one group. The shapes themselves, if all are known."""
        hashes = set(map(hash, shapes))
        hashes -= self._young
        hashes -= self._old
        if not hashes:
            return shapes
        fresh = list({shape: None for shape in shapes if hash(shape) in hashes})
        if len(self._young) + len(hashes) > _SEEN_ONCE:
            self._old, self._young = self._young, set()
        self._young |= hashes
        text = "\0".join(fresh)
        if not text.isascii() or "[redacted:" in text or max(map(len, fresh)) > LONGEST:
            fresh = [shape for shape in fresh if may_have_outline(shape)]
            if not fresh:
                return shapes
        outlines = zip(fresh, self._vocabulary.outlines(fresh), strict=True)
        found = {
            shape: (coarser(outline) if MIXED in outline else outline,)
            for shape, outline in outlines
            if outline != shape
        }
        return [found.get(shape, shape) for shape in shapes] if found else shapes


def may_have_outline(shape: str) -> bool:
    """Whether lines of a shape are such as outlines are right for: ASCII, not long, without masks."""
    return len(shape) <= LONGEST and shape.isascii() and "[redacted:" not in shape
