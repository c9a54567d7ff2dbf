"""How rules are asked about the metadata of a record: by key, and each value once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import translate
from typing import Any

from log_aggregator.model.record import LEVELS
from log_aggregator_classify.conditions import Condition
from log_aggregator_classify.rule import Rule
from log_aggregator_classify.ruleset import NOTHING, Verdict, gathered_tags
from log_aggregator_classify.words import words_of

MEMO_ENTRIES = 20_000
"""Values whose conditions are remembered; then the memo starts anew."""

LONGEST = 200
"""Characters of a text whose conditions are remembered."""

_REMEMBERED = (str, int, bool)
_COUNTED = frozenset((*_REMEMBERED, float, type(None)))


class _Absent:
    """Stands for a key that a record has not."""


_ABSENT = _Absent()


class MetadataRules:
    """The rules with metadata, by the keys they look at. `keys` are all of those."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_Compiled(*numbered) for numbered in enumerate(rule for rule in rules if rule.metadata)]
        self._by_key: dict[str, list[tuple[int, Condition]]] = {}
        for index, compiled in enumerate(self._rules):
            for key, condition in compiled.rule.conditions().items():
                self._by_key.setdefault(key, []).append((index, condition))
        self.keys = frozenset(self._by_key)
        self._memo: dict[str, dict[type, dict[Any, tuple[int, ...]]]] = {}
        self._remembered = 0
        self._forget()
        self._verdicts: dict[tuple[int, ...], Verdict] = {}

    def fulfilled(self, column: Sequence[Mapping[str, Any]]) -> list[tuple[int, ...]] | None:
        """For the metadata of each record the rules of which a condition holds; `None`: there are none at all.

        Each key is looked at over all records, each of its values once.
        """
        found: list[tuple[int, ...]] | None = None
        for key in sorted(self.keys.intersection(*[set().union(*column)])):
            of_key = self._of_key(key, [metadata.get(key, _ABSENT) for metadata in column])
            if any(of_key):
                found = of_key if found is None else [one + other for one, other in zip(found, of_key, strict=True)]
        return found

    def _of_key(self, key: str, values: list[Any]) -> list[tuple[int, ...]]:
        """For each value under a key the rules whose condition on it holds."""
        kinds = set(map(type, values)) - {_Absent}
        if len(kinds) != 1 or not kinds <= _COUNTED:  # equal values of different types are apart, as `1` and `True`
            return [() if value is _ABSENT else self._of_value(key, value) for value in values]
        distinct = set(values)
        known = {value: self._of_value(key, value) for value in distinct if value is not _ABSENT}
        known[_ABSENT] = ()
        return list(map(known.__getitem__, values))

    def _of_value(self, key: str, value: Any) -> tuple[int, ...]:
        of_kind = self._memo[key].get(type(value))
        found = of_kind.get(value) if of_kind is not None else None
        return self._fulfilled(key, value) if found is None else found

    def verdict(self, fulfilled: tuple[int, ...], pattern: str, level: str, source: str) -> Verdict:
        """What the rules say of which conditions hold; the first with a category and the most severe severity win."""
        if not fulfilled:
            return NOTHING
        return self._verdicts.get(fulfilled) or self._combined(fulfilled, pattern, level, source)

    def _combined(self, fulfilled: tuple[int, ...], pattern: str, level: str, source: str) -> Verdict:
        """The verdict of the rules fulfilled; remembered where it hangs on nothing else."""
        asked = [self._rules[index] for index in sorted(set(fulfilled))]
        counts = Counter(fulfilled)
        rules = [one.rule for one in asked if one.holds(counts[one.index], pattern, level, source)]
        category = next((rule.category for rule in rules if rule.category), "")
        severities = [rule.severity for rule in rules if rule.severity]
        verdict = Verdict(category, gathered_tags(rules), max(severities, key=LEVELS.index, default=""))
        if not any(one.looks_further for one in asked):
            if len(self._verdicts) >= MEMO_ENTRIES:
                self._verdicts.clear()
            self._verdicts[fulfilled] = verdict
        return verdict

    def _fulfilled(self, key: str, value: Any) -> tuple[int, ...]:
        """The rules whose condition on `key` the value fulfils."""
        found = tuple(index for index, condition in self._by_key[key] if condition(value))
        of_kind = self._memo[key].get(type(value))
        if of_kind is not None and (type(value) is not str or len(value) <= LONGEST):
            if self._remembered >= MEMO_ENTRIES:
                self._forget()
                return found
            self._remembered += 1
            of_kind[value] = found
        return found

    def _forget(self) -> None:
        """Begin anew with nothing remembered: equal values of different types are apart, as `1` and `True`."""
        self._memo = {key: {kind: {} for kind in _REMEMBERED} for key in self._by_key}
        self._remembered = 0


class _Compiled:
    """A rule, ready to look at the rest once its conditions on metadata are counted."""

    def __init__(self, index: int, rule: Rule) -> None:
        self.index = index
        self.rule = rule
        self.looks_further = bool(rule.level or rule.source or rule.words or rule.regex)
        self._phrases = {tuple(words_of(text)) for text in rule.words}
        self._longest = max(map(len, self._phrases), default=0)
        self._regex = re.compile(rule.regex)
        self._source = re.compile(translate(rule.source or "*"))

    def holds(self, fulfilled: int, pattern: str, level: str, source: str) -> bool:
        if fulfilled < len(self.rule.metadata):
            return False
        return not self.looks_further or self._rest_holds(pattern, level, source)

    def _rest_holds(self, pattern: str, level: str, source: str) -> bool:
        if self.rule.level and self.rule.level.upper() != level:
            return False
        if not self._source.match(source) or not self._regex.search(pattern[:4000]):
            return False
        words = words_of(pattern) if self._phrases else []
        return not self._phrases or any(
            tuple(words[start : start + len(phrase)]) == phrase
            for phrase in self._phrases
            for start in range(len(words))
        )
