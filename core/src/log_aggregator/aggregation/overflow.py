"""Logs that got no pattern of their own, lately: how many, of which source, and a rule that would help."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from log_aggregator.aggregation.rule_suggestion import suggest_rule

OVERFLOW_PATTERN = "{OVERFLOW}"
"""The pattern that counts logs of new patterns once as many patterns are in memory as may be."""

LATELY = 600.0
"""Seconds for which such logs are told of."""

_SOURCES = 100
_MESSAGES = 64


class Overflow:
    """Counts the logs of the overflow pattern: since the start in `logs`, and lately by source.

    `clock` gives seconds that never go back. "Lately" is the present and the previous half of `LATELY`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.logs = 0
        self._clock = clock
        self._began = clock()
        self._halves: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._messages: deque[tuple[str, str]] = deque(maxlen=_MESSAGES)

    def note(self, source: str, logs: int, messages: Iterable[str]) -> None:
        """Count logs of one source; `messages` are some of them."""
        self.logs += logs
        present = self._lately()[0]
        present[source if source in present or len(present) < _SOURCES else "(other)"] += logs
        self._messages.extend((source, message) for message in dict.fromkeys(messages))

    def complaint(self) -> str:
        """What is wrong and what helps, for a person; empty when no such log came lately. Holds no message."""
        present, previous = self._lately()
        by_source = present + previous
        if not by_source:
            return ""
        source, most = by_source.most_common(1)[0]
        total = by_source.total()
        rule = suggest_rule([message for name, message in self._messages if name == source])
        return (
            f"{total} logs of the last {LATELY / 60:.0f} minutes have the pattern {OVERFLOW_PATTERN}, because more "
            f"patterns came than are kept; {most / total:.0%} of them are of the source {source!r}. A rule for what "
            "varies in its messages helps: plugins.toml [plugins.patterns] "
            f"rules = [{{ name = 'NAME', regex = '{rule or '…'}' }}]"
        )

    def _lately(self) -> tuple[Counter[str], Counter[str]]:
        halves = int((self._clock() - self._began) / (LATELY / 2))
        if halves:
            self._began += halves * LATELY / 2
            self._halves = (Counter(), self._halves[0] if halves == 1 else Counter())
            if not self._halves[1]:
                self._messages.clear()
        return self._halves
