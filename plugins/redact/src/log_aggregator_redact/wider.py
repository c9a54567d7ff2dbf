"""Gates for outlines: where one finds nothing, the gate it was made of finds nothing in any text of the outline.

In an outline (see `log_aggregator.model.letters`) a sign stands for any character of a kind. Here each sign is a byte
that no text holds, and a test of one character takes the sign, too, when it takes a character of the kind. Edges of
words are left out, so that a wider gate takes more than its gate, never less.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any

from log_aggregator.model.letters import KINDS

_SIGNS = {sign: 0xF8 + place for place, sign in enumerate(sign for sign in KINDS if sign != "0")}
"""Bytes that UTF-8 never has."""

_LOWERED = str.maketrans(string.digits + string.ascii_uppercase, "0" * 10 + string.ascii_lowercase)
_KINDS = {byte: frozenset("".join(KINDS[sign]).translate(_LOWERED)) for sign, byte in _SIGNS.items()}
"""What each byte stands for in a lower-case shape."""

_TO_BYTES = {ord(sign): chr(byte) for sign, byte in _SIGNS.items()} | {
    code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)
}

_SHAPE = "".join(map(chr, range(128))).translate(_LOWERED)
_CATEGORIES = {
    _constants.CATEGORY_DIGIT: r"\d",
    _constants.CATEGORY_NOT_DIGIT: r"\D",
    _constants.CATEGORY_SPACE: r"\s",
    _constants.CATEGORY_NOT_SPACE: r"\S",
    _constants.CATEGORY_WORD: r"\w",
    _constants.CATEGORY_NOT_WORD: r"\W",
}


class UnknownError(Exception):
    """The expression holds something of which no wider form is known here."""


def as_bytes(outline: str) -> bytes:
    """An outline as the wider gates read it: in lower case, with a byte for each sign."""
    return outline.translate(_TO_BYTES).encode("latin-1")


def wider(expression: str) -> str:
    """The wider form of a gate, as an RE2 expression over bytes, each written as one character of Latin-1.

    Raises `UnknownError` when none is known.
    """
    tree = _parser.parse(expression.encode().decode("latin-1"))
    if tree.state.flags & ~re.UNICODE:
        raise UnknownError("flags")
    return _written(tree)


def _written(tree: Any) -> str:
    return "".join([_item(op, argument) for op, argument in tree])


def _item(op: Any, argument: Any) -> str:  # noqa: PLR0911  one answer for each kind of item
    if op is _constants.LITERAL:
        return _literal(argument)
    if op is _constants.NOT_LITERAL:
        return f"[^{_escaped(argument)}]"
    if op is _constants.IN:
        return _class(argument)
    if op is _constants.ANY:
        return "."
    if op is _constants.AT:
        return ""
    if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, most, inner = argument
        times = f"{{{least},}}" if most is _constants.MAXREPEAT else f"{{{least},{most}}}"
        return f"(?:{_written(inner)}){times}"
    if op is _constants.SUBPATTERN and not argument[1] and not argument[2]:
        return f"(?:{_written(argument[3])})"
    if op is _constants.BRANCH:
        return "(?:" + "|".join(map(_written, argument[1])) + ")"
    raise UnknownError(str(op))


def _literal(code: int) -> str:
    signs = _signs_for(chr(code))
    return f"[{_escaped(code)}{signs}]" if signs else _escaped(code)


def _class(items: Any) -> str:
    """A class. What is not in a negated one it takes already: a sign is none of the characters that it names."""
    negated = items[0][0] is _constants.NEGATE
    written: list[str] = []
    for op, argument in items[1:] if negated else items:
        if op is _constants.CATEGORY and argument in _CATEGORIES:
            written.append(_CATEGORIES[argument])
        elif op is _constants.LITERAL:
            written.append(_escaped(argument))
        elif op is _constants.RANGE:
            written.append(f"{_escaped(argument[0])}-{_escaped(argument[1])}")
        else:
            raise UnknownError(str(op))
    inner = "".join(written)
    if negated:
        return f"[^{inner}]"
    taken = re.compile(f"[{inner}]", re.ASCII)
    return f"[{inner}{_signs_for(filter(taken.match, _SHAPE))}]"


def _signs_for(characters: Iterable[str]) -> str:
    wanted = set(characters)
    return "".join(_escaped(byte) for byte, kind in _KINDS.items() if wanted & kind)


def _escaped(byte: int) -> str:
    return f"\\x{byte:02x}"
