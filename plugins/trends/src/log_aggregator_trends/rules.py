"""Rules by hand: more logs than said within a time, or none for a time."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from log_aggregator.config.rules import Rule
from log_aggregator.search import Term, parse_search
from log_aggregator.sinks import Aggregate, Flush
from log_aggregator_trends.matching import matching_logs
from log_aggregator_trends.series import Finding, Series, SeriesKey

_MINUTE = 60_000_000
_SCORE = 0.9
_LONGEST_HOLD = 0.005
"""Seconds on the event loop after which other tasks may run."""

Matches = dict[str, tuple[int, Aggregate]]


class _Counts(msgspec.Struct):
    """What is known of one rule: logs by minute, since when they are counted, and when the last log came."""

    since: int
    last: int
    minutes: dict[int, int] = {}


class _State(msgspec.Struct):
    """What is saved: counts by the id of the rule, and the newest id of each pattern that a rule names."""

    counts: dict[str, _Counts] = {}
    newest: dict[str, str] = {}


class RuleWatch:
    """Counts the logs of each rule, by the minute of their receipt. Does no I/O."""

    def __init__(self, rules: Iterable[Rule] = (), minute: int = 0, saved: str | None = None) -> None:
        """`saved` is the `state` of an earlier run: its counts go on, for rules that are still the same."""
        self._saved = msgspec.json.decode(saved, type=_State) if saved else _State()
        self._rules: dict[str, Rule] = {}
        self._terms: dict[str, tuple[Term, ...]] = {}
        self._examples: dict[str, Aggregate] = {}
        self.replace(rules, minute)
        self.skip_to(minute)

    def skip_to(self, minute: int) -> None:
        """Nothing was counted before this minute, so that time says nothing of silence."""
        for counts in self._saved.counts.values():
            counts.since = max(counts.since, minute)

    def replace(self, rules: Iterable[Rule], minute: int) -> None:
        """Evaluate these rules from now on; those that were there before keep their counts."""
        self._rules = {rule_id(rule): rule for rule in rules}
        self._terms = {name: parse_search(rule.search) for name, rule in self._rules.items()}
        counts = {name: self._saved.counts.get(name) or _Counts(minute, minute) for name in self._rules}
        named = {
            value for terms in self._terms.values() for term in terms if term.field == "id" for value in term.values
        }
        self._saved = _State(counts, {name: self._saved.newest.get(name, name) for name in named})
        self._examples = {name: example for name, example in self._examples.items() if name in self._rules}

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules by their ids."""
        return self._rules

    @property
    def state(self) -> str:
        """The counts, to be saved."""
        return msgspec.json.encode(self._saved).decode()

    async def matches(self, flush: Flush, is_quiet: Callable[[Aggregate], bool]) -> Matches:
        """The logs of a flush by the id of a rule, where there are any, each with the last aggregate that has some.

        Changes nothing. Lets other tasks run between. Logs for which `is_quiet` holds are passed over.
        """
        rules, terms_of, newest = self._rules, self._terms, self._newest_after(flush)
        found: Matches = {}
        paused = time.perf_counter()
        for aggregate in flush.aggregates if rules else ():
            if time.perf_counter() - paused > _LONGEST_HOLD:
                await asyncio.sleep(0)
                paused = time.perf_counter()
            quiet = is_quiet(aggregate)
            for name, terms in terms_of.items():
                # A muted pattern alarms nobody, but it is no silence either.
                if quiet and rules[name].none_for is None:
                    continue
                if logs := matching_logs(terms, aggregate, newest):
                    found[name] = (found[name][0] + logs if name in found else logs, aggregate)
        return found

    def add(self, flush: Flush, matches: Matches) -> list[tuple[Finding, Series]]:
        """Count what `matches` found in a flush; the rules of which too many logs came."""
        self._saved.newest = self._newest_after(flush)
        minute = flush.sealed // _MINUTE
        found = []
        for name, (logs, example) in matches.items():
            if name not in self._rules:  # it was deleted meanwhile
                continue
            self._examples[name] = example
            figures = self._count(name, minute, logs)
            if figures is not None:
                found.append(self._found(name, figures))
        return found

    def _newest_after(self, flush: Flush) -> dict[str, str]:
        """The newest id of each pattern that a rule names, with the aliases of a flush."""
        newest = dict(self._saved.newest)
        for alias in flush.aliases if newest else ():
            for name, known in newest.items():
                if known == alias.old_id:
                    newest[name] = alias.new_id
        return newest

    def _count(self, name: str, minute: int, logs: int) -> dict[str, Any] | None:
        """Count logs of a rule; what is to be said when they are too many."""
        rule, counts = self._rules[name], self._saved.counts[name]
        counts.last = max(counts.last, minute)
        if rule.more_than is None:
            return None
        counts.minutes[minute] = counts.minutes.get(minute, 0) + logs
        counts.minutes = {at: count for at, count in counts.minutes.items() if at > minute - rule.minutes}
        seen = sum(counts.minutes.values())
        return {"seen": seen, "more_than": rule.more_than} if seen > rule.more_than else None

    def end_minute(self, minute: int) -> list[tuple[Finding, Series]]:
        """The rules of which no log came for too long, at the end of a minute."""
        found = []
        for name, rule in self._rules.items():
            counts = self._saved.counts[name]
            if rule.none_for is not None and minute - max(counts.last, counts.since) >= rule.minutes:
                found.append(self._found(name, {"seen": 0, "silent_minutes": minute - max(counts.last, counts.since)}))
        return found

    def _found(self, name: str, figures: dict[str, Any]) -> tuple[Finding, Series]:
        rule = self._rules[name]
        series = Series(SeriesKey("rule", name))
        series.source = ""
        if (example := self._examples.get(name)) is not None and rule.none_for is None:
            series.source, series.level = example.source, example.level
            series.describe(example)
        about = {"rule": rule.title, "search": rule.search, "window_minutes": rule.minutes}
        return Finding(series.key, "rule", 4, _SCORE, True, None, about | figures), series


def rule_id(rule: Rule) -> str:
    """The id of a rule: the same as long as it says the same."""
    text = "\0".join(str(part) for part in (rule.title, rule.search, rule.more_than, rule.minutes, rule.none_for))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
