"""Long lists of alternatives, of which only those are tried that may begin with the character that is there.

`re` tries one alternative after the other: a hundred of them cost more than all else that is done to a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any

_ASCII = frozenset(map(chr, range(128)))
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_TESTS = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY)
_LOOKS = (_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT)


class Alternatives:
    """An expression of many alternatives. `match` says the same as that of the whole expression."""

    def __init__(self, regex: str, flags: int = 0) -> None:
        self._whole = re.compile(regex, flags)
        self._tree = _parser.parse(regex, flags)
        self._by_character: dict[str, re.Pattern[str] | None] = {}

    def match(self, text: str, at: int = 0) -> bool:
        """Whether the expression matches at a place of a text."""
        first = text[at : at + 1]
        try:
            pattern = self._by_character[first]
        except KeyError:
            pattern = self._whole if first not in _ASCII else self._beginning_with(first)
        return pattern is not None and pattern.match(text, at) is not None

    def prepare(self) -> None:
        """Compile what is needed for each visible character of ASCII."""
        for character in map(chr, range(0x21, 0x7F)):
            if character not in self._by_character:
                self._beginning_with(character)

    def _beginning_with(self, first: str) -> re.Pattern[str] | None:
        """The alternatives that may begin with a character, or with none; `None`: there are none."""
        flags = self._tree.state.flags
        narrowed = _narrowed(self._tree, first, flags)
        found = self._by_character[first] = None if narrowed is None else _compiler.compile(narrowed, flags)
        return found


def _narrowed(tree: Any, first: str, flags: int) -> Any:
    """The tree without alternatives that cannot begin with a character; `None`: none of them can.

    It looks into what stands first only: into alternatives, and into groups that are not captured.
    """
    if first not in _beginnings(tree, flags):
        return None
    (op, argument), *rest = tree or [(None, None)]
    if op is _constants.BRANCH:
        some = [one for branch in argument[1] if (one := _narrowed(branch, first, flags)) is not None]
        if some:  # one that may be empty is among them
            return _parser.SubPattern(tree.state, [(op, (None, some)), *rest])
    elif op is _constants.SUBPATTERN and argument[0] is None:
        inner = _narrowed(argument[3], first, (flags | argument[1]) & ~argument[2])
        if inner is not None:
            return _parser.SubPattern(tree.state, [(op, (*argument[:3], inner)), *rest])
    return tree


def _beginnings(tree: Any, flags: int) -> frozenset[str]:
    """ASCII characters that what the tree matches may begin with; all when it may match nothing."""
    found: set[str] = set()
    for op, argument in tree:
        if op in _TESTS:
            return frozenset(found | _accepted(op, argument, flags))
        if op in _LOOKS:
            continue
        inner = _inside(op, argument)
        if inner is None:
            break
        own = (flags | argument[1]) & ~argument[2] if op is _constants.SUBPATTERN else flags
        found.update(*(_beginnings(one, own) for one in inner))
        if min(one.getwidth()[0] for one in inner) and (op not in _REPEATS or argument[0]):
            return frozenset(found)
    return _ASCII


def _inside(op: Any, argument: Any) -> Sequence[Any] | None:
    """The trees of which one stands where the item does; `None` for an item that is not looked into."""
    if op in _REPEATS:
        return [argument[2]]
    if op is _constants.SUBPATTERN:
        return [argument[3]]
    return argument[1] if op is _constants.BRANCH else None


_known: dict[tuple[str, int], frozenset[str]] = {}
"""What single characters accept: a few dozen kinds, asked for again with each first character."""


def _accepted(op: Any, argument: Any, flags: int) -> frozenset[str]:
    key = (f"{op} {argument!r}", flags)
    found = _known.get(key)
    if found is None:
        state = _parser.State()
        state.str = ""
        pattern: re.Pattern[str] = _compiler.compile(_parser.SubPattern(state, [(op, argument)]), flags)
        found = _known[key] = frozenset(character for character in _ASCII if pattern.match(character))
    return found
