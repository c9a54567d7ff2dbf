"""A rule on the past: when it would have raised an alarm."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from log_aggregator.config.rules import Rule


def alarms_of(rule: Rule, points: Iterable[tuple[int, int]], until: int, resolve_minutes: int) -> list[int]:
    """The starts of the alarms (epoch seconds, oldest first) that a rule would have raised.

    `points` are (start of a minute in epoch seconds, logs), in order; `until` is where they end. An alarm ends after
    `resolve_minutes` in which the rule does not hold.
    """
    held = _silent(rule, points, until) if rule.none_for is not None else _many(rule, points)
    found: list[int] = []
    last: int | None = None
    for minute in held:
        if last is None or minute - last > resolve_minutes * 60:
            found.append(minute)
        last = minute
    return found


def _many(rule: Rule, points: Iterable[tuple[int, int]]) -> list[int]:
    """The minutes in which the logs of the last minutes were too many."""
    window: deque[tuple[int, int]] = deque()
    held, seen = [], 0
    span, most = rule.minutes * 60, rule.more_than or 0
    for minute, logs in points:
        window.append((minute, logs))
        seen += logs
        while window[0][0] <= minute - span:
            seen -= window.popleft()[1]
        if seen > most:
            held.append(minute)
    return held


def _silent(rule: Rule, points: Iterable[tuple[int, int]], until: int) -> list[int]:
    """The minutes before which no log came for too long. What came before the first log is not known."""
    times = [minute for minute, _ in points]
    held: list[int] = []
    for before, after in zip(times, [*times[1:], until], strict=True):
        held += range(before + rule.minutes * 60, after, 60)
    return held
