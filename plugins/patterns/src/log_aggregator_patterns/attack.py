"""Lines made to be hard for an expression: its own characters and matches, again and again, then a stop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any, NamedTuple

_ALPHABET = "".join(map(chr, range(1, 127))) + "éµ\u2003中"
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_COMMON = ("a", "0", " ", ".", "-", "/", '"', "a.", "a-", "a0", "0.", "0:", "a/", "a@", "aA0_-. ", '"a', "\\", "=a,")


class Attack(NamedTuple):
    """A beginning, what is repeated, and an end that should make a match fail late."""

    start: str
    again: str
    stop: str

    def line(self, length: int) -> str:
        """A line of about `length` characters."""
        times = max(1, (length - len(self.start) - len(self.stop)) // len(self.again))
        return self.start + self.again * times + self.stop


def attacks(tree: Any) -> Iterator[Attack]:
    """Attacks for a parsed expression: on each of its repeats, on the whole, and with common text."""
    whole = sample(tree)
    units = dict.fromkeys([whole, whole[:-1], *_COMMON])
    pumps = dict.fromkeys(_pumps(tree, ""))
    for unit in units:
        if unit:
            pumps.setdefault(("", unit), None)
    for start, again in pumps:
        for stop in ("", "\x00", whole[-1:]):
            yield Attack(start, again, stop)


def _pumps(tree: Any, start: str) -> Iterator[tuple[str, str]]:
    for op, argument in tree:
        if op in _REPEATS:
            again = sample(argument[2])
            if again and argument[1] > 1:
                yield start, again
                yield start, again[0]
            yield from _pumps(argument[2], start)
        elif op is _constants.SUBPATTERN:
            yield from _pumps(argument[3], start)
        elif op is _constants.BRANCH:
            for branch in argument[1]:
                yield from _pumps(branch, start)
        elif op in (_constants.ASSERT, _constants.ASSERT_NOT):
            yield from _pumps(argument[1], start)
        start += sample([(op, argument)])


def sample(tree: Any) -> str:
    """A short text that the tree matches, as far as its look-arounds and references allow."""
    return "".join(_sample_item(op, argument) for op, argument in tree)


def _sample_item(op: Any, argument: Any) -> str:  # noqa: PLR0911  one answer for each kind of item
    if op in _REPEATS:
        least, most, body = argument
        return sample(body) * max(int(least), min(1, int(most)))
    if op is _constants.SUBPATTERN:
        return sample(argument[3])
    if op is _constants.BRANCH:
        return sample(argument[1][0])
    if op is _constants.ATOMIC_GROUP:
        return sample(argument)
    if op in (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY):
        found = characters([(op, argument)])
        for wanted in "a0A":
            if wanted in found:
                return wanted
        return min(found, default="")
    return ""


def characters(tree: Any) -> frozenset[str]:
    """The characters, of a sample of all, that single-character tests anywhere in the tree accept."""
    found: set[str] = set()
    for op, argument in tree:
        if op in (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY):
            found |= _accepted(op, argument)
        elif op in _REPEATS:
            found |= characters(argument[2])
        elif op is _constants.SUBPATTERN:
            found |= characters(argument[3])
        elif op is _constants.ATOMIC_GROUP:
            found |= characters(argument)
        elif op is _constants.BRANCH:
            for branch in argument[1]:
                found |= characters(branch)
        elif op in (_constants.GROUPREF, _constants.GROUPREF_EXISTS, _constants.GROUPREF_IGNORE):
            return frozenset(_ALPHABET)
    return frozenset(found)


def _accepted(op: Any, argument: Any) -> set[str]:
    state = _parser.State()
    state.str = ""
    tree = _parser.SubPattern(state, [(op, argument)])
    pattern: re.Pattern[str] = _compiler.compile(tree, re.IGNORECASE)
    return {character for character in _ALPHABET if pattern.match(character)}
