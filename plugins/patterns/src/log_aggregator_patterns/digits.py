"""Which expressions tell one digit from another, and what remains of them when they must not.

The memo remembers spans by the shape of a line, where every digit is a zero. That is exact only for
rules that treat all digits alike. Python offers no public view into an expression, so this reads the
parse tree of the standard library (`re._parser`); when its form is unknown, the answer is the careful one.
"""

from __future__ import annotations

import re
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any, Literal

_DIGITS = range(48, 58)
_ANYTHING = (
    _constants.IN,
    [(_constants.CATEGORY, _constants.CATEGORY_SPACE), (_constants.CATEGORY, _constants.CATEGORY_NOT_SPACE)],
)


Wider = re.Pattern[str] | Literal[True] | None


class UnknownError(Exception):
    """The parse tree holds something whose effect on digits is not known here."""


def relaxed(regex: str) -> Wider:
    """How far `regex` tells digits apart.

    Returns `None` when it does not: its spans in a line and in the line's shape are the same. Returns
    a wider pattern when it does: where that one finds nothing in a shape, `regex` finds nothing in any
    line of the shape. Returns `True` when it tells digits apart in a way that cannot be widened.
    """
    try:
        tree = _parser.parse(regex)
        if not _widen(tree):
            return None
        pattern: re.Pattern[str] = _compiler.compile(tree, tree.state.flags)
        return pattern
    except UnknownError:
        return True


def _widen(tree: Any) -> bool:
    """Widen `tree` in place to all digits; True when something had to be widened."""
    changed = False
    for index, (op, argument) in enumerate(list(tree)):
        replacement = _widened_item(op, argument)
        if replacement is not None:
            tree[index] = replacement
            changed = True
        elif op not in _LEAVES:
            changed |= _widen_inside(tree, index, op, argument)
    return changed


_LEAVES = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.AT)


def _widened_item(op: Any, argument: Any) -> tuple[Any, Any] | None:
    """The wider item for a single character test that tells digits apart, else None."""
    if op is _constants.LITERAL and argument in _DIGITS:
        return _constants.IN, [(_constants.RANGE, (48, 57))]
    if op is _constants.NOT_LITERAL and argument in _DIGITS:
        return _ANYTHING
    if op is _constants.IN:
        items = list(argument)
        negated = bool(items) and items[0][0] is _constants.NEGATE
        inside = [any(_contains(item, digit) for item in items) for digit in _DIGITS]
        if any(inside) and not all(inside):
            return _ANYTHING if negated else (op, [*items, (_constants.RANGE, (48, 57))])
    return None


def _contains(item: tuple[Any, Any], digit: int) -> bool:
    op, argument = item
    if op is _constants.LITERAL:
        return bool(argument == digit)
    if op is _constants.RANGE:
        return bool(argument[0] <= digit <= argument[1])
    if op is _constants.CATEGORY:
        return argument in (_constants.CATEGORY_DIGIT, _constants.CATEGORY_WORD, _constants.CATEGORY_NOT_SPACE)
    if op is _constants.NEGATE:
        return False
    raise UnknownError(str(op))


def _widen_inside(tree: Any, index: int, op: Any, argument: Any) -> bool:
    if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        changed = _widen(argument[2])
        if changed and op is _constants.POSSESSIVE_REPEAT:
            raise UnknownError("a possessive repeat that is widened could take more than before")
        return changed
    if op is _constants.SUBPATTERN:
        return _widen(argument[3])
    if op is _constants.BRANCH:
        widened = [_widen(branch) for branch in argument[1]]  # all of them, not only up to the first
        return any(widened)
    if op is _constants.ASSERT:
        return _widen(argument[1])
    if op is _constants.ASSERT_NOT:
        if _widen(argument[1]):
            tree[index] = (_constants.ASSERT, (1, _parser.SubPattern(tree.state, [])))
            return True
        return False
    raise UnknownError(str(op))
