"""Which expressions could hang the service, and why: a look at their form, then a trial against the clock.

Python's `re` backtracks, so some expressions need time that explodes with the length of a line. A rule
that may do so is refused when the plugin is set up, which is at start and in `log-aggregator check`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any

from log_aggregator_patterns.attack import attacks, characters

LINE = 16_384
"""Characters of the longest line that counts."""

BUDGET = 0.05
"""Seconds of processor time that a rule may take for such a line."""

QUICK = 0.001
"""Seconds of processor time for a search that stands beside many others."""

_LONGEST_TRIED = 128
"""Characters of the longest line of a quick search."""

_MANY = 16
_SHORT = 64
"""Up to this length the time may double with every character, so it grows by steps."""
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def danger(regex: str) -> str | None:
    """Why the expression must not be used as a rule, or None when any line of 16 kB takes 50 ms at most."""
    tree = _parser.parse(regex)
    for body in _long_repeats(tree):
        if _ambiguous(body):
            return "a repeat inside a repeat can match the same text in many ways; expected something between them"
    return _trial(regex, tree)


def is_quick(pattern: re.Pattern[str], alphabet: str) -> bool:
    """Whether a search takes at most `QUICK` seconds, by trial, in lines of each of these characters, also with one
    of `0-.` behind each.
    """
    for unit in (one + two for one in alphabet for two in ("", "0", "-", ".")):
        length = 8
        while length <= _LONGEST_TRIED:
            line = (unit * length)[:length]
            for text in (f"{line}_", line, f"{line} "):  # the first fails late: so the time grows little by little
                seconds = _seconds_of_search(pattern, text)
                if seconds > 5 * QUICK or (seconds > QUICK and _seconds_of_search(pattern, text) > QUICK):
                    return False
            length += max(4, length // 4)
    return True


def _seconds_of_search(pattern: re.Pattern[str], line: str) -> float:
    before = time.thread_time()
    pattern.search(line)
    return time.thread_time() - before


def _trial(regex: str, tree: Any) -> str | None:
    pattern = re.compile(regex)
    for attack in attacks(tree):
        length = 8
        while True:
            seconds = _seconds(pattern, attack.line(length))
            if seconds > BUDGET:
                seconds = min(seconds, _seconds(pattern, attack.line(length)))
            if seconds > BUDGET:
                return (
                    f"took {seconds * 1000:.0f} ms for a line of {length} characters such as "
                    f"{attack.line(24)!r}; expected at most {BUDGET * 1000:.0f} ms for {LINE}: "
                    "bound its repeats, such as {1,64}, or let it start only where no such character stands before"
                )
            if length >= LINE:
                break
            length = min(LINE, _next_length(length, seconds))
    return None


def _next_length(length: int, seconds: float) -> int:
    """A longer line that takes no more than a second even if the time grows with the fourth power."""
    if length < _SHORT:
        return length + 4
    return int(length * min(16.0, max(2.0, (1 / max(seconds, 1e-6)) ** 0.25)))


def _seconds(pattern: re.Pattern[str], line: str) -> float:
    before = time.thread_time()
    for _ in pattern.finditer(line):
        pass
    return time.thread_time() - before


def _long_repeats(tree: Any) -> Iterator[Any]:
    """The bodies of all repeats that may go on for long."""
    for op, argument in tree:
        if op in _REPEATS and argument[1] > _MANY:
            yield argument[2]
        for inner in children(op, argument):
            yield from _long_repeats(inner)


def _ambiguous(body: Any) -> bool:
    """Is there a long repeat in the body, and nothing that must stand between two of its rounds?"""
    inside = [characters(inner) for inner in _long_repeats(body)]
    if not inside:
        return False
    swallowed = frozenset().union(*inside)
    return not any(_must_differ(op, argument, swallowed) for op, argument in body)


def _must_differ(op: Any, argument: Any, swallowed: frozenset[str]) -> bool:
    if op in _REPEATS:
        return argument[0] > 0 and any(_must_differ(o, a, swallowed) for o, a in argument[2])
    if op is _constants.SUBPATTERN:
        return any(_must_differ(o, a, swallowed) for o, a in argument[3])
    if op is _constants.BRANCH:
        return all(any(_must_differ(o, a, swallowed) for o, a in branch) for branch in argument[1])
    if op in (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY):
        return not characters([(op, argument)]) & swallowed
    return False


def children(op: Any, argument: Any) -> list[Any]:  # noqa: PLR0911  one answer for each kind of item
    """The parse trees inside an item."""
    if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        return [argument[2]]
    if op is _constants.SUBPATTERN:
        return [argument[3]]
    if op is _constants.BRANCH:
        return list(argument[1])
    if op in (_constants.ASSERT, _constants.ASSERT_NOT):
        return [argument[1]]
    if op is _constants.ATOMIC_GROUP:
        return [argument]
    if op is _constants.GROUPREF_EXISTS:
        return [tree for tree in argument[1:] if tree is not None]
    return []
