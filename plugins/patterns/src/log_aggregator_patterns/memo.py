"""What is remembered of the lines seen: the pattern of a shape, exactly and in bounded memory."""

from __future__ import annotations

from log_aggregator_patterns.ruleset import RuleSet, Span, assemble

Known = str | tuple[Span, ...] | None
"""The pattern itself; or the spans, when text with digits stays; or None: the digits decide."""

_LONGEST = 4096
"""Characters; a longer line is hardly ever seen twice and would fill the memory."""


class PatternMemo:
    """Masks lines with a rule set and remembers the work by shape.

    The answer is always that of `RuleSet.mask`. `characters` bounds what is remembered: at most twice
    that many characters of shapes. The memory has two halves; when the young one is full the old one
    is dropped, so what is seen often stays.
    """

    def __init__(self, rules: RuleSet, characters: int = 4_000_000) -> None:
        self.rules = rules
        self.young: dict[str, Known] = {}
        self._old: dict[str, Known] = {}
        self._budget = characters
        self._left = characters
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
        return sum(map(len, self.young)) + sum(map(len, self._old))

    def _look_back(self, shape: str) -> Known:
        known = self._old.pop(shape, False)
        if known is False:
            self.misses += 1
            known = self._work_out(shape)
            if len(shape) > _LONGEST:
                return known
        self._left -= len(shape) + 64
        if self._left < 0:
            self._old, self.young = self.young, {}
            self._left = self._budget
        self.young[shape] = known  # type: ignore[assignment]  # False was replaced above
        return known  # type: ignore[return-value]

    def _work_out(self, shape: str) -> Known:
        spans = self.rules.spans_of_shape(shape)
        if spans is None:
            return None
        pattern = assemble(shape, spans)
        return tuple(spans) if "0" in pattern else pattern
