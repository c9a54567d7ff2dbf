"""The two plugins as a predictor for a grouping evaluation: feed lines, then ask what they belong to."""

from __future__ import annotations

from log_aggregator import shape_of
from log_aggregator_patterns import PatternMemo, Patterns, PatternsConfig
from log_aggregator_templates import TemplateMiner


class Predictor:
    """Online: `feed` answers with the id at first sight, `resolve` and `canonical` with what is known in the end."""

    def __init__(self) -> None:
        self._memo = PatternMemo(Patterns(PatternsConfig()).rules)
        self._now: dict[str, str] = {}
        self._miner = TemplateMiner(on_change=self._now.__setitem__)

    def feed(self, line: str) -> tuple[str, None]:
        """The pattern of a line as it is known now, which is its id too."""
        return self._miner.template(self._memo.mask(line, shape_of(line))), None

    def resolve(self, pattern: str) -> str:
        """The pattern that stands for an earlier one now."""
        return self._now.get(pattern, pattern)

    canonical = resolve


class RulesOnly:
    """The rules without learning."""

    def __init__(self) -> None:
        self._memo = PatternMemo(Patterns(PatternsConfig()).rules)

    def feed(self, line: str) -> str:
        """The masked line."""
        return self._memo.mask(line, shape_of(line))


__all__ = ["Predictor", "RulesOnly"]
