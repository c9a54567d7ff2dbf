"""What is remembered of the lines seen: the pattern of a shape, exactly and in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from log_aggregator import shapes_of
from log_aggregator.model.letters import MIXED, coarser
from log_aggregator.model.vocabulary import Vocabulary
from log_aggregator_patterns.plans import TRIES, Plan, Planner, may_have_plan
from log_aggregator_patterns.ruleset import RuleSet, Span, assemble

_LONG = 4096
"""Characters; longer lines are remembered apart: a few of them would push all others out."""

_PATTERNS_OF_A_SHAPE = 32
"""Remembered at most where digits stay: those of a version or an interface come again, those of a name may not."""

_COST = 64
"""What remembering one thing takes beside its characters."""

_SEEN_ONCE = 50_000
"""Shapes and outlines that came once: what comes again is remembered."""

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
    that many characters of shapes, and half as many of long ones and of outlines. The memory has two halves; when the
    young one is full the old one is dropped, so what is seen often stays. The others start anew.

    A line of a shape that is not known, in which an id or the like varies, gets its pattern by the plan of its outline.
    """

    def __init__(self, rules: RuleSet, characters: int = 4_000_000) -> None:
        self.rules = rules
        self.young: dict[str, Known] = {}
        self._old: dict[str, Known] = {}
        self._budget = characters
        self._left = characters
        self._long: dict[str, Known] = {}
        self._left_for_long = characters // 2
        self._planner = Planner(rules)
        self._plans: dict[str, Plan | None] = {}
        self._left_for_plans = characters // 2
        self._outlines: dict[str, str] = {}
        self._vocabulary = Vocabulary()
        self._once: set[int] = set()
        self.misses = 0
        self.planned = 0
        self.on_demand: Callable[[], object] = self._planner.prepare
        """Called for shapes that are not known while outlines are not ready: makes them so, now or soon."""

    @property
    def is_ready(self) -> bool:
        """Whether the rules are ready for outlines."""
        return self._planner.is_ready

    def prepare(self) -> None:
        """Make some more rules ready for outlines: about 20 ms of work. May run in a thread, one call at a time."""
        self._planner.prepare()

    def expect(self, shapes: Sequence[str]) -> None:
        """Say which shapes come next: the outlines of those that are not known are made together."""
        self._outlines = {}
        unknown = [
            shape
            for shape in shapes
            if shape not in self.young and shape not in self._old and len(shape) <= _LONG and may_have_plan(shape)
        ]
        if not unknown:
            return
        if not self._planner.is_ready:
            self.on_demand()
        outlines = zip(unknown, self._vocabulary.outlines(unknown), strict=True)
        self._outlines = {shape: outline for shape, outline in outlines if outline != shape}

    def mask(self, message: str, shape: str) -> str:
        """The pattern of `message`, whose shape is `shape`."""
        if shape in self.young:
            known = self.young[shape]
        else:
            if shape in self._outlines and shape not in self._old:
                pattern = self._by_plan(message, shape, self._outlines[shape])
                if pattern:
                    return pattern
            known = self._look_back(shape)
        if isinstance(known, str):
            return known
        if known is None:
            return self.rules.mask(message)
        digits = known.digits(message)
        return known.patterns.get(digits) or self._assembled(message, known, digits)

    def mask_outline(self, outline: str, messages: Sequence[str]) -> list[str]:
        """The patterns of messages that come for the first time, and have an outline in common."""
        plan = self._plans.get(outline)
        if plan is not None and plan.pattern and not plan.checks:
            self.planned += len(messages)
            return [plan.pattern] * len(messages)
        if not self._planner.is_ready:
            self.on_demand()
        both = zip(messages, shapes_of(messages), strict=True)
        return [self._planned(message, shape, outline) or self.mask(message, shape) for message, shape in both]

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

    def _by_plan(self, message: str, shape: str, outline: str) -> str:
        """The pattern of a line by the plan of its outline; empty when no plan is right for it."""
        return "" if self._came_before(shape) else self._planned(message, shape, outline)

    def _planned(self, message: str, shape: str, outline: str) -> str:
        plan = self._plans.get(outline, _NOT_MADE)
        if plan is None:
            return ""
        if plan is _NOT_MADE and MIXED in outline and (wide := coarser(outline)) != outline:
            outline = wide
            plan = self._plans.get(outline, _NOT_MADE)
            if plan is None:
                return ""
        if plan is _NOT_MADE or plan.is_wrong:
            plan = self._plan(outline, plan, message, shape)
            if plan is None:
                return ""
        elif plan.checks and not plan.fits(message, shape):
            return ""
        self.planned += 1
        return plan.pattern or assemble(message, plan.spans)

    def _plan(self, outline: str, known: Plan, message: str, shape: str) -> Plan | None:
        """A new plan of an outline, by one of its lines; `None` when it came but once, or none is possible."""
        if known is _NOT_MADE:
            if not self._came_before(outline):
                return None
            self._left_for_plans -= len(outline) + _COST
            if self._left_for_plans < 0:
                self._plans.clear()
                self._left_for_plans = self._budget // 2
        elif known.tries >= TRIES:
            self._plans[outline] = None
            return None
        plan = self._planner.plan(outline, message, shape)
        if plan is not None or self._planner.is_ready:
            self._plans[outline] = plan
        if plan is not None and known is not _NOT_MADE:
            plan.tries = known.tries + 1
        return plan

    def _came_before(self, shape: str) -> bool:
        """Whether a shape or an outline came already: then it is worth to be remembered."""
        digest = hash(shape)
        if digest in self._once:
            return True
        if len(self._once) >= _SEEN_ONCE:
            self._once.clear()
        self._once.add(digest)
        return False

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


_NOT_MADE = Plan("", [], [], "")


def _kept_digits(shape: str, spans: Sequence[Span]) -> Iterator[slice]:
    """Where digits are that no span covers."""
    at = 0
    for start, end in [*((span.start, span.end) for span in spans), (len(shape), len(shape))]:
        for run in _DIGITS.finditer(shape, at, start):
            yield slice(*run.span())
        at = end
