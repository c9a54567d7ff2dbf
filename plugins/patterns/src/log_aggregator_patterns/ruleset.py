"""How rules become spans and spans become a pattern: the order of claims, and what stays of the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from log_aggregator import shape_of
from log_aggregator.model.masks import masks_as_words
from log_aggregator_patterns.digits import Wider, relaxed
from log_aggregator_patterns.rule import Rule
from log_aggregator_patterns.scripts import LETTER, gate_text, without_blankless

_CLAIMED = "\x01"
"""Stands for every character that a rule has claimed already: no word, no blank, no digit."""


class Span(NamedTuple):
    """A masked part of a line: `message[start:end]`, which rule took it, and what replaces it."""

    rule: str
    start: int
    end: int
    placeholder: str


class CompiledRule(NamedTuple):
    """A rule, ready to use."""

    name: str
    pattern: re.Pattern[str]
    placeholder: str
    gate: tuple[str, ...]
    wider: Wider
    group: str | int
    keep: bool
    sees_all: bool

    def find(self, view: str, pattern: re.Pattern[str] | None = None, at: int = 0) -> list[tuple[int, int]]:
        """What the rule takes from a place on, or what another `pattern` with its groups does, whatever is claimed."""
        found = [match.span(self.group) for match in (pattern or self.pattern).finditer(view, at)]
        return [span for span in found if span[0] >= 0] if self.group else found


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
        self.compiled = [
            CompiledRule(
                rule.name,
                compiled,
                rule.placeholder,
                rule.gate,
                relaxed(rule.regex),
                "value" if "value" in compiled.groupindex else 0,
                rule.keep,
                LETTER.search(rule.regex) is not None,
            )
            for rule, compiled in ((rule, re.compile(rule.regex)) for rule in rules)
        ]

    def explain(self, message: str) -> list[Span]:
        """What the rules took, from left to right, never overlapping; what they kept stands for itself."""
        return [
            span if span.placeholder else span._replace(placeholder=message[span.start : span.end])
            for span in self._spans(message, shape_of(message), by_shape=False) or ()
        ]

    def spans(self, message: str) -> list[Span]:
        """The masked parts of the message, from left to right, never overlapping."""
        return masked(self._spans(message, shape_of(message), by_shape=False) or ())

    def spans_of_shape(self, shape: str) -> list[Span] | None:
        """The masked parts of every message with this shape, or None when they depend on its digits."""
        spans = self._spans(shape, shape, by_shape=True)
        return None if spans is None else masked(spans)

    def mask(self, message: str) -> str:
        """The pattern of the message, computed without any memory."""
        return assemble(message, self.spans(message))

    def _spans(self, text: str, shape: str, by_shape: bool) -> list[Span] | None:
        working = masks_as_words(text)
        if not text.isascii():
            working = without_blankless(working)
            shape = gate_text(shape)
        spans: list[Span] = []
        for rule in self.compiled:
            if rule.gate and not any(map(shape.__contains__, rule.gate)):
                continue
            view = _with_letters(text, working) if rule.sees_all else working
            if by_shape and rule.wider is not None:
                if rule.wider is True or rule.wider.search(view):
                    return None
                continue
            found = rule.find(view)
            if not found:
                continue
            if any(_CLAIMED in working[start:end] for start, end in found):
                spans, found = outer(spans, found, rule)
            else:
                placeholder = "" if rule.keep else rule.placeholder
                spans += [Span(rule.name, start, end, placeholder) for start, end in found]
            spans.sort(key=_by_start)
            working = claimed(working, found)
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


def _with_letters(text: str, working: str) -> str:
    """What is not claimed, with its own letters: for a rule that names letters of a script without blanks."""
    return "".join([_CLAIMED if now == _CLAIMED else letter for letter, now in zip(text, working, strict=True)])


def masked(spans: Iterable[Span]) -> list[Span]:
    """The spans without what is kept."""
    return [span for span in spans if span.placeholder]


def _by_start(span: Span) -> int:
    return span.start


def claimed(working: str, found: Sequence[tuple[int, int]]) -> str:
    """The text with what was found hidden from later rules."""
    pieces = []
    at = 0
    for start, end in found:
        pieces.append(working[at:start])
        pieces.append(_CLAIMED * (end - start))
        at = end
    pieces.append(working[at:])
    return "".join(pieces)


def outer(
    spans: list[Span], found: list[tuple[int, int]], rule: CompiledRule
) -> tuple[list[Span], list[tuple[int, int]]]:
    """The spans with those of `found` that lie around or beside them, and which of `found` these are.

    One pass from left to right over both. A match across a border, or around text that is kept, is left out.
    """
    merged: list[Span] = []
    taken: list[tuple[int, int]] = []
    at = 0
    for start, end in found:
        while at < len(spans) and spans[at].end <= start:
            merged.append(spans[at])
            at += 1
        behind = at
        while behind < len(spans) and spans[behind].start < end:
            behind += 1
        inner = spans[at:behind]
        if inner and (inner[0].start < start or inner[-1].end > end or not all(span.placeholder for span in inner)):
            continue
        merged.append(Span(rule.name, start, end, "" if rule.keep else rule.placeholder))
        taken.append((start, end))
        at = behind
    return merged + spans[at:], taken
