"""What is remembered of the lines seen: the pattern of a shape, exactly and in bounded memory."""

from __future__ import annotations

from log_aggregator_patterns.ruleset import RuleSet, Span, assemble

Known = str | tuple[Span, ...] | None
"""The pattern itself; or the spans, when text with digits stays; or None: the digits decide."""

_LONG = 4096
"""Characters; longer lines are remembered apart: a few of them would push all others out."""


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
        known = self.young.get(shape, False)
        if known is False:
            known = self._look_back(shape)
        if type(known) is str:
            return known
        if known is None:
            return self.rules.mask(message)
        return assemble(message, known)  # type: ignore[arg-type]  # False was replaced above

    def spans(self, message: str, shape: str) -> list[Span]:
        """The spans of `message`: as `RuleSet.explain`."""
        found = self.rules.spans_of_shape(shape)
        return self.rules.explain(message) if found is None else found

    def remembered(self) -> int:
        """How many characters of shapes are remembered."""
        return sum(map(len, self.young)) + sum(map(len, self._old)) + sum(map(len, self._long))

    def _look_back(self, shape: str) -> Known:
        if len(shape) > _LONG:
            return self._look_for_long(shape)
        known = self._old.pop(shape, False)
        if known is False:
            self.misses += 1
            known = self._work_out(shape)
        self._left -= len(shape) + 64
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
        pattern = assemble(shape, spans)
        return tuple(spans) if "0" in pattern else pattern
