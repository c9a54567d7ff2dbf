"""What is remembered of the lines seen: the pattern of a shape, exactly and in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter

from log_aggregator_patterns.ruleset import RuleSet, Span, assemble

_LONG = 4096
"""Characters; longer lines are remembered apart: a few of them would push all others out."""

_PATTERNS_OF_A_SHAPE = 32
"""Remembered at most where digits stay: those of a version or an interface come again, those of a name may not."""

_COST = 64
"""What remembering one thing takes beside its characters."""

_DIGITS = re.compile("0+")


class _Keeping:
    """What is known of a shape whose patterns keep some of the digits: all that can differ between them."""

    __slots__ = ("digits", "patterns", "spans")

    def __init__(self, spans: Sequence[Span], kept: Sequence[slice]) -> None:
        """`kept`: where in the lines those digits are."""
        self.spans = spans
        self.digits = itemgetter(*kept)
        self.patterns: dict[object, str] = {}


Known = str | _Keeping | None
"""The pattern itself; or how to find it, when digits stay; or None: the digits decide."""


class PatternMemo:
    """Masks lines with a rule set and remembers the work by shape.

    The answer is always that of `RuleSet.mask`. `characters` bounds what is remembered: at most twice
    that many characters of shapes, and half as many of long ones. The memory has two halves; when the
    young one is full the old one is dropped, so what is seen often stays. That of long lines starts anew.
    """

    def __init__(self, rules: RuleSet, characters: int = 4_000_000) -> None:
        self.rules = rules
        self.young: dict[str, Known] = {}
        self._old: dict[str, Known] = {}
        self._budget = characters
        self._left = characters
        self._long: dict[str, Known] = {}
        self._left_for_long = characters // 2
        self.misses = 0

    def mask(self, message: str, shape: str) -> str:
        """The pattern of `message`, whose shape is `shape`."""
        known = self.young[shape] if shape in self.young else self._look_back(shape)
        if isinstance(known, str):
            return known
        if known is None:
            return self.rules.mask(message)
        digits = known.digits(message)
        return known.patterns.get(digits) or self._assembled(message, known, digits)

    def spans(self, message: str, shape: str) -> list[Span]:
        """The spans of `message`: as `RuleSet.spans`."""
        found = self.rules.spans_of_shape(shape)
        return self.rules.spans(message) if found is None else found

    def remembered(self) -> int:
        """How many characters of shapes, and of patterns that keep digits, are remembered."""
        return sum(
            len(shape) + sum(map(len, known.patterns.values()) if type(known) is _Keeping else ())
            for half in (self.young, self._old, self._long)
            for shape, known in half.items()
        )

    def _assembled(self, message: str, known: _Keeping, digits: object) -> str:
        pattern = assemble(message, known.spans)
        if len(message) <= _LONG and len(known.patterns) < _PATTERNS_OF_A_SHAPE and self._left > 0:
            known.patterns[digits] = pattern
            self._left -= len(pattern) + _COST
        return pattern

    def _look_back(self, shape: str) -> Known:
        if len(shape) > _LONG:
            return self._look_for_long(shape)
        known = self._old.pop(shape, False)
        if known is False:
            self.misses += 1
            known = self._work_out(shape)
        elif type(known) is _Keeping:
            known.patterns.clear()  # they count towards the half that is full
        self._left -= len(shape) + _COST
        if self._left < 0:
            self._old, self.young = self.young, {}
            self._left = self._budget
        self.young[shape] = known  # type: ignore[assignment]  # False was replaced above
        return known  # type: ignore[return-value]

    def _look_for_long(self, shape: str) -> Known:
        known = self._long.get(shape, False)
        if known is False:
            self.misses += 1
            known = self._work_out(shape)
            self._left_for_long -= len(shape)
            if self._left_for_long < 0:
                self._long.clear()
                self._left_for_long = self._budget // 2 - len(shape)
            self._long[shape] = known
        return known  # type: ignore[return-value]

    def _work_out(self, shape: str) -> Known:
        spans = self.rules.spans_of_shape(shape)
        if spans is None:
            return None
        kept = [*_kept_digits(shape, spans)]
        return _Keeping(spans, kept) if kept else assemble(shape, spans)


def _kept_digits(shape: str, spans: Sequence[Span]) -> Iterator[slice]:
    """Where digits are that no span covers."""
    at = 0
    for start, end in [*((span.start, span.end) for span in spans), (len(shape), len(shape))]:
        for run in _DIGITS.finditer(shape, at, start):
            yield slice(*run.span())
        at = end
