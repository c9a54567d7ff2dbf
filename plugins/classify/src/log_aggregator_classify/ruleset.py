"""How rules are asked about a pattern: by its words, weighed against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from typing import NamedTuple

from log_aggregator_classify.rule import Rule
from log_aggregator_classify.words import plain_words_of, words_of


class Verdict(NamedTuple):
    """What the rules say; empty where they say nothing. `severity` may be an empty text.

    `counts` says that the severity hangs on a count in the message.
    """

    category: str = ""
    tags: tuple[str, ...] = ()
    severity: str = ""
    counts: bool = False


NOTHING = Verdict()

SURE = 1.5
"""The weight that a category needs, unless the source speaks for it: one weak word is no category."""


class RuleSet:
    """The rules without metadata, in their order, the user's first.

    For a category, every word found adds its rule's weight, and the heaviest category wins; at equal
    weight the earlier rule. For a severity, the first rule that says one wins. Tags are gathered.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [rule for rule in rules if not rule.metadata]
        self._phrases: dict[tuple[str, ...], list[int]] = {}
        self._wordless: list[int] = []
        self._longest = 1
        for index, rule in enumerate(self._rules):
            if not rule.words:
                self._wordless.append(index)
            for text in rule.words:
                phrase = tuple(words_of(text))
                rules_of_phrase = self._phrases.setdefault(phrase, [])
                if index not in rules_of_phrase:
                    rules_of_phrase.append(index)
                self._longest = max(self._longest, len(phrase))
        self._regexes = [re.compile(rule.regex) for rule in self._rules]
        self._sources = [re.compile(translate(rule.source or "*")) for rule in self._rules]

    def kind_of_source(self, source: str) -> frozenset[int]:
        """Sources of the same kind are the same to `judge`: the rules that ask for such a source."""
        return frozenset(
            index for index, rule in enumerate(self._rules) if rule.source and self._sources[index].match(source)
        )

    def judge(self, pattern: str, level: str, kind: frozenset[int]) -> Verdict:
        """What the pattern alone says, from a source of this kind."""
        weights: dict[str, float] = {}
        said: set[int] = set()
        counts = self._matching(words_of(pattern))
        alone = self._matching(plain_words_of(pattern))
        for index, found in counts.items():
            rule = self._rules[index]
            if rule.severity and index not in alone:  # a word inside of a name is no word of the sentence
                continue
            if self._fits(index, pattern, level, kind):
                said.add(index)
                if rule.category:
                    weights[rule.category] = weights.get(rule.category, 0.0) + rule.weight * found
        rules = [self._rules[index] for index in sorted(said)]
        severity = next((rule.severity for rule in rules if rule.severity), "")
        return Verdict(_heaviest(weights, rules), gathered_tags(rules), severity or "")

    def _matching(self, words: list[str]) -> dict[int, int]:
        """How many different phrases of each rule are there."""
        found = {
            phrase
            for length in range(1, self._longest + 1)
            for start in range(len(words) - length + 1)
            if (phrase := tuple(words[start : start + length])) in self._phrases
        }
        counts = dict.fromkeys(self._wordless, 1)
        for phrase in found:
            for index in self._phrases[phrase]:
                counts[index] = counts.get(index, 0) + 1
        return counts

    def _fits(self, index: int, pattern: str, level: str, kind: frozenset[int]) -> bool:
        rule = self._rules[index]
        if rule.level and rule.level.upper() != level:
            return False
        if rule.source and index not in kind:
            return False
        return not rule.regex or self._regexes[index].search(pattern[:4000]) is not None


def _heaviest(weights: Mapping[str, float], rules: Sequence[Rule]) -> str:
    if not weights:
        return ""
    most = max(weights.values())
    if most < SURE and not any(rule.source for rule in rules if rule.category):
        return ""
    return next(rule.category for rule in rules if rule.category and weights[rule.category] == most)


def gathered_tags(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The tags of some rules, each once, in the rules' order."""
    return tuple(dict.fromkeys(tag for rule in rules for tag in rule.tags))
