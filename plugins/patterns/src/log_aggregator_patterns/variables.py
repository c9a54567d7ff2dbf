"""The values that a pattern masked: for stages that keep figures of them."""

from __future__ import annotations

from typing import NamedTuple

from log_aggregator import shape_of
from log_aggregator_patterns.ruleset import RuleSet, Span


class Variable(NamedTuple):
    """A masked value: the placeholder that stands for it and the text of the message."""

    placeholder: str
    value: str


class Variables:
    """Reads the masked values of messages, with the spans remembered by shape.

    For a message of a known shape this costs a look-up and one slice per value. `wanted` limits the
    answer to these placeholders, such as `{"{TIME}", "{SIZE}"}`. At most `limit` shapes are remembered.
    """

    def __init__(self, rules: RuleSet, wanted: frozenset[str] | None = None, limit: int = 20_000) -> None:
        self._rules = rules
        self._wanted = wanted
        self._limit = limit
        self._spans: dict[str, list[Span] | None] = {}

    def of(self, message: str, shape: str = "") -> list[Variable]:
        """The masked values of `message`, from left to right. `shape` is `record.shape` where it is known."""
        shape = shape or shape_of(message)
        spans = self._spans.get(shape, _UNKNOWN)
        if spans is _UNKNOWN:
            spans = self._remember(shape)
        if spans is None:
            spans = self._chosen(self._rules.spans(message))
        return [Variable(span.placeholder, message[span.start : span.end]) for span in spans]

    def _remember(self, shape: str) -> list[Span] | None:
        found = self._rules.spans_of_shape(shape)
        spans = None if found is None else self._chosen(found)
        if len(self._spans) >= self._limit:
            self._spans.clear()
        self._spans[shape] = spans
        return spans

    def _chosen(self, spans: list[Span]) -> list[Span]:
        return spans if self._wanted is None else [span for span in spans if span.placeholder in self._wanted]


_UNKNOWN: list[Span] = []
