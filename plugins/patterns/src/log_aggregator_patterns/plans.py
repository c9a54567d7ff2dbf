"""Spans by outline: exact for each line, at a fraction of what all rules cost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from log_aggregator.model.letters import KINDS
from log_aggregator_patterns.blindness import Blind, blind, by_beginning
from log_aggregator_patterns.ruleset import CompiledRule, RuleSet, Span, assemble, claimed, masked, outer

PREPARED_AT_ONCE = 4
"""Rules that are made ready for outlines in one call: each takes a few milliseconds."""

CHECKS = 24
"""Rules of an outline that must look at each line; with more, the line is worked out by all of them."""

MISSES = 8
"""Lines of an outline in a row for which its plan was not right, until it is made anew by the next line."""

TRIES = 4
"""Plans of an outline that are made, until none is tried any more: the first line may have been an odd one."""

_FEW = 4
"""Places at which a rule is tried one by one; of more, it searches from the first of them on."""

_FindSpans = list[tuple[int, int]]
_NOTHING: _FindSpans = []


class Check(NamedTuple):
    """A rule that has to look at the line itself, behind the claims of those before it, and what it must find.

    `starts` are the only places where it may find something; `None`: anywhere, or not known yet. `gate` is empty when
    it is open for all lines of the outline.
    """

    rule: CompiledRule
    blind: Blind | None
    gate: tuple[str, ...]
    claims: Sequence[tuple[int, int]]
    found: _FindSpans
    starts: tuple[int, ...] | None = None

    def prepared(self, outline: str) -> Check:
        """The same, knowing where something may be found in the lines of an outline."""
        starts = self.blind.starts(claimed(outline, self.claims)) if self.blind is not None else None
        return self._replace(starts=starts)

    def finds(self, working: str, shape: str) -> _FindSpans:
        """What the rule finds in a line whose claims are hidden."""
        if self.gate and not any(map(shape.__contains__, self.gate)):
            return []
        if self.starts is None:
            return self.rule.find(working)
        if len(self.starts) > _FEW:
            return self.rule.find(working, at=self.starts[0])
        found: _FindSpans = []
        match, group, at = self.rule.pattern.match, self.rule.group, 0
        for start in self.starts:
            if start >= at and (one := match(working, start)):
                at = one.end()
                span = one.span(group)
                if span[0] >= 0:
                    found.append(span)
        return found


class Plan:
    """What the rules do to the lines of one outline.

    `pattern` is the pattern of all of them; it is empty where the lines keep something in which they differ.
    """

    __slots__ = ("_outline", "checks", "misses", "pattern", "spans", "tries")

    def __init__(self, outline: str, spans: list[Span], checks: list[Check], pattern: str) -> None:
        self._outline = outline
        self.spans = spans
        self.checks = checks
        self.pattern = pattern
        self.misses = 0
        self.tries = 1

    @property
    def is_wrong(self) -> bool:
        """Whether it was not right too often in a row."""
        return self.misses >= MISSES

    def fits(self, line: str, shape: str) -> bool:
        """Whether the rules that tell its lines apart find in this one what they found in the first."""
        if self._outline:  # only now: most outlines that come once do not come again
            self.checks = [check.prepared(self._outline) for check in self.checks]
            self._outline = ""
        working = line
        claims: Sequence[tuple[int, int]] = _NOTHING
        for check in self.checks:
            if check.claims is not claims:
                claims = check.claims
                working = claimed(line, claims)
            if check.finds(working, shape) != check.found:
                break
        else:
            self.misses = 0
            return True
        self.misses += 1
        return False


class _Prepared:
    """A rule as outlines need it."""

    def __init__(self, rule: CompiledRule) -> None:
        self.rule = rule
        self._gate = re.compile("|".join("".join(map(_may_be, text)) for text in rule.gate)) if rule.gate else None

    @cached_property
    def blind(self) -> Blind | None:
        """The rule's expression for outlines; `None` where it has none, or one that could take long."""
        regex = self.rule.pattern.pattern
        found = None if self.rule.sees_all else blind(regex)
        return found if found is None or found.is_quick else by_beginning(found, regex)

    @property
    def is_ready(self) -> bool:
        """Whether the expression was made."""
        return "blind" in self.__dict__

    def passes(self, outline: str) -> bool | None:
        """Whether the gate is open for all lines of an outline (`True`), for none (`False`), or for some (`None`)."""
        if self._gate is None or any(map(outline.__contains__, self.rule.gate)):
            return True
        return None if self._gate.search(outline) else False


class Planner:
    """Makes plans for the lines of outlines. The rules are made ready little by little, see `is_ready`."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = [_Prepared(rule) for rule in rules.compiled]
        self.is_ready = not self._rules

    def plan(self, outline: str, line: str, shape: str) -> Plan | None:
        """The plan of an outline, of which `line` is one: `None` when there is none, or none yet (see `is_ready`)."""
        if not self.is_ready:
            return None
        working, seen = line, outline
        spans: list[Span] = []
        claims = _NOTHING
        checks: list[Check] = []
        for prepared in self._rules:
            found = self._found(prepared, seen, outline, working, shape, claims, checks)
            if len(checks) > CHECKS:
                return None
            if not found:
                continue
            rule = prepared.rule
            spans, found = outer(spans, found, rule)
            claims = _joined(claims, found)
            working, seen = claimed(working, found), claimed(seen, found)
        spans = masked(spans)
        kept = assemble(outline, spans)
        return Plan(outline, spans, checks, "" if any(map(kept.__contains__, KINDS)) else assemble(line, spans))

    def prepare(self) -> None:
        """Make some more rules ready."""
        waiting = [prepared for prepared in self._rules if not prepared.is_ready]
        for prepared in waiting[:PREPARED_AT_ONCE]:
            _ = prepared.blind
        self.is_ready = len(waiting) <= PREPARED_AT_ONCE

    @staticmethod
    def _found(
        prepared: _Prepared,
        seen: str,
        outline: str,
        working: str,
        shape: str,
        claims: _FindSpans,
        checks: list[Check],
    ) -> _FindSpans:
        """What a rule finds in all lines, if the outline tells; else what it found in the first, with a check."""
        gate, rule, for_outlines = prepared.passes(outline), prepared.rule, prepared.blind
        if gate is False:
            return []
        if for_outlines is not None:
            if gate and not any(map(seen.__contains__, for_outlines.told_apart)):
                return rule.find(seen, for_outlines.exact)
            if not for_outlines.wider.search(seen):
                return []
        check = Check(rule, for_outlines, () if gate else rule.gate, claims, [])
        found = check.finds(working, shape)
        checks.append(check._replace(found=found))
        return found


def may_have_plan(shape: str) -> bool:
    """Whether lines of a shape are such as plans are right for: ASCII, without masks."""
    return shape.isascii() and "[redacted:" not in shape


def _may_be(character: str) -> str:
    """An expression for what a character of a shape may be in an outline."""
    kinds = [sign for sign, kind in KINDS.items() if character in kind]
    return "[" + re.escape("".join({character, *kinds})) + "]"


def _joined(claims: _FindSpans, found: _FindSpans) -> _FindSpans:
    """All claims from left to right; of those inside of one another, the outer one."""
    joined: _FindSpans = []
    for start, end in sorted([*claims, *found], key=lambda span: (span[0], -span[1])):
        if not joined or start >= joined[-1][1]:
            joined.append((start, end))
    return joined
