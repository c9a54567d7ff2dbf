"""How rules become spans and spans become a pattern: the order of claims, and what stays of the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from log_aggregator import shape_of
from log_aggregator.model.masks import masks_as_words
from log_aggregator_patterns.digits import Wider, relaxed
from log_aggregator_patterns.rule import Rule

_CLAIMED = "\x01"
"""Stands for every character that a rule has claimed already: no word, no blank, no digit."""


class Span(NamedTuple):
    """A masked part of a line: `message[start:end]`, which rule took it, and what replaces it."""

    rule: str
    start: int
    end: int
    placeholder: str


class _Compiled(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    placeholder: str
    gate: tuple[str, ...]
    wider: Wider


class RuleSet:
    """Rules in their order, compiled. Immutable; keeps nothing of the lines it sees."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises `ValueError` when two rules have the same name."""
        seen: set[str] = set()
        for rule in rules:
            if rule.name in seen:
                raise ValueError(f"rule {rule.name!r} is given twice; expected a name of its own for every rule")
            seen.add(rule.name)
        self.rules = tuple(rules)
        self._compiled = [
            _Compiled(rule.name, re.compile(rule.regex), rule.placeholder, rule.gate, relaxed(rule.regex))
            for rule in rules
        ]

    def explain(self, message: str) -> list[Span]:
        """The masked parts of the message, from left to right, never overlapping."""
        spans = self._spans(message, shape_of(message), by_shape=False)
        return spans or []

    def spans_of_shape(self, shape: str) -> list[Span] | None:
        """The spans of every message with this shape, or None when they depend on its digits."""
        return self._spans(shape, shape, by_shape=True)

    def mask(self, message: str) -> str:
        """The pattern of the message, computed without any memory."""
        return assemble(message, self.explain(message))

    def _spans(self, text: str, shape: str, by_shape: bool) -> list[Span] | None:
        working = masks_as_words(text)
        spans: list[Span] = []
        for rule in self._compiled:
            if rule.gate and not any(map(shape.__contains__, rule.gate)):
                continue
            if by_shape and rule.wider is not None:
                if rule.wider is True or rule.wider.search(working):
                    return None
                continue
            found = [match.span() for match in rule.pattern.finditer(working)]
            if not found:
                continue
            for start, end in found:
                if _CLAIMED in working[start:end]:
                    kept = _without_inner(spans, start, end)
                    if kept is None:
                        continue
                    spans = kept
                spans.append(Span(rule.name, start, end, rule.placeholder))
            working = _claimed(working, found)
        spans.sort(key=_by_start)
        return spans


def assemble(message: str, spans: Sequence[Span]) -> str:
    """The message with its spans replaced by their placeholders."""
    pieces = []
    at = 0
    for _, start, end, placeholder in spans:
        pieces.append(message[at:start])
        pieces.append(placeholder)
        at = end
    pieces.append(message[at:])
    return "".join(pieces)


def _by_start(span: Span) -> int:
    return span.start


def _claimed(working: str, found: list[tuple[int, int]]) -> str:
    pieces = []
    at = 0
    for start, end in found:
        pieces.append(working[at:start])
        pieces.append(_CLAIMED * (end - start))
        at = end
    pieces.append(working[at:])
    return "".join(pieces)


def _without_inner(spans: list[Span], start: int, end: int) -> list[Span] | None:
    """The spans that do not lie inside [start, end), or None when one lies across its border."""
    kept = []
    for span in spans:
        if span.end <= start or span.start >= end:
            kept.append(span)
        elif span.start < start or span.end > end:
            return None
    return kept
