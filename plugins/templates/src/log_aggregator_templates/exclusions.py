"""What a user keeps out of the learning: sources, and lines of certain patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from log_aggregator_templates.tokens import VARIABLE, cut


class Exclusions:
    """Which records keep the pattern that the rules gave them.

    `sources` are names, where `*` stands for anything. `patterns` are pattern texts: a line is kept
    out when it has the same words in the same places, where a placeholder stands for any word.
    """

    def __init__(self, sources: Sequence[str], patterns: Sequence[str]) -> None:
        self._globs = tuple(sources)
        self._known: dict[str, bool] = {}
        self._patterns: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for pattern in patterns:
            line = cut(pattern)
            self._patterns.setdefault(line.separators, []).append(line.words)
        self.any_source = bool(sources)

    def source(self, source: str) -> bool:
        """Is the source kept out?"""
        known = self._known.get(source)
        if known is None:
            if len(self._known) >= _MOST_SOURCES:
                self._known.clear()
            known = self._known[source] = any(fnmatchcase(source, glob) for glob in self._globs)
        return known

    def line(self, separators: tuple[str, ...], words: tuple[str, ...]) -> bool:
        """Is a line with these parts kept out?"""
        return any(_fits(wanted, words) for wanted in self._patterns.get(separators, ()))


_MOST_SOURCES = 10_000


def _fits(wanted: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(want in (VARIABLE, word) for want, word in zip(wanted, words, strict=True))
