"""Which expressions tell characters apart that one sign of an outline stands for.

An expression is read as the parse tree of the standard library (`re._parser`, as in `digits`), and each test of one
character is asked about the signs. Where it takes all characters of a sign or none, so does the new test take the sign:
then the expression finds in an outline what it finds in every line of it. Where it takes some of them, there are two
expressions: a narrow one that does not take the sign, and a wide one that does. Both are right where none of these
signs is there. Where the wide one finds nothing in an outline, the expression finds nothing in any line of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public parse tree exists
from typing import Any, NamedTuple

from log_aggregator.model.letters import KINDS
from log_aggregator_patterns.digits import UnknownError
from log_aggregator_patterns.hazard import is_quick

_LITERAL = frozenset(map(chr, range(128))) - {"0"}
_ALPHABET = _LITERAL | KINDS.keys()
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_TESTS = (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY)
_BOUNDARIES = {
    _constants.AT_BOUNDARY: r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))",
    _constants.AT_NON_BOUNDARY: r"(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))",
}


class Blind(NamedTuple):
    """An expression for outlines.

    `exact` finds the same in an outline as the expression in each of its lines, unless the outline has a sign of
    `told_apart`. `wider` finds something in it when the expression finds something in one of these lines.
    """

    exact: re.Pattern[str]
    wider: re.Pattern[str]
    told_apart: frozenset[str]
    may_be_empty: bool

    @property
    def is_quick(self) -> bool:
        """Whether the wide form takes little time in any outline.

        What kept its repeats apart may be characters that one sign stands for, as in `(\\d+h)?(\\d+m)?`.
        """
        return not self.told_apart or is_quick(self.wider, "".join(KINDS))

    def starts(self, outline: str) -> tuple[int, ...] | None:
        """Where matches in the lines of an outline may start; `None` when that says nothing about the next ones."""
        if self.may_be_empty:
            return None
        found: list[int] = []
        match = self.wider.search(outline)
        while match:
            found.append(match.start())
            match = self.wider.search(outline, match.start() + 1)
        return tuple(found)


def blind(regex: str) -> Blind | None:
    """The expression for outlines, or `None` when nothing can be said of it."""
    try:
        exact, told_apart = _rewritten(regex, wide=False)
        wider = _rewritten(regex, wide=True)[0] if told_apart else exact
        return Blind(exact, wider, told_apart, _parser.parse(regex).getwidth()[0] == 0)
    except UnknownError:
        return None


def by_beginning(found: Blind, regex: str) -> Blind | None:
    """The same with what every match begins with as the wide form; `None` where that may be empty, or is not quick."""
    tree = _parser.parse(regex)
    beginning = _beginning(tree)
    if beginning is None:
        return None
    _rewrite(beginning, tree.state.flags, True, set())
    shorter = found._replace(wider=_compiler.compile(beginning, tree.state.flags))
    return shorter if shorter.is_quick else None


def _beginning(tree: Any) -> Any:
    """The items up to the first that is never empty; of a repeat one round."""
    kept: list[Any] = []
    for op, argument in tree:
        if op in _REPEATS and argument[0] > 0 and argument[2].getwidth()[0] > 0:
            return _parser.SubPattern(tree.state, [*kept, *argument[2]])
        kept.append((op, argument))
        if op in _TESTS:
            return _parser.SubPattern(tree.state, kept)
    return None


def _rewritten(regex: str, *, wide: bool) -> tuple[re.Pattern[str], frozenset[str]]:
    tree = _parser.parse(regex)
    told_apart: set[str] = set()
    _rewrite(tree, tree.state.flags, wide, told_apart)
    compiled: re.Pattern[str] = _compiler.compile(tree, tree.state.flags)
    return compiled, frozenset(told_apart)


def _rewrite(tree: Any, flags: int, wide: bool, told_apart: set[str]) -> None:  # noqa: C901  one branch for each kind of item
    """Rewrite a tree in place; adds the signs whose characters it tells apart."""
    for index, (op, argument) in enumerate(list(tree)):
        if op in _TESTS:
            tree[index] = _test(op, argument, flags, wide, told_apart)
        elif op is _constants.AT:
            if argument in _BOUNDARIES:
                inner = _parser.parse(_BOUNDARIES[argument])
                _rewrite(inner, flags, wide, told_apart)
                tree[index] = (_constants.SUBPATTERN, (None, 0, 0, inner))
        elif op in _REPEATS:
            _rewrite(argument[2], flags, wide, told_apart)
        elif op is _constants.SUBPATTERN:
            _rewrite(argument[3], (flags | argument[1]) & ~argument[2], wide, told_apart)
        elif op is _constants.BRANCH:
            for branch in argument[1]:
                _rewrite(branch, flags, wide, told_apart)
        elif op is _constants.ASSERT:
            _rewrite(argument[1], flags, wide, told_apart)
        elif op is _constants.ASSERT_NOT:
            _rewrite(argument[1], flags, not wide, told_apart)  # what must not follow: less of it is wider
        elif op in (_constants.POSSESSIVE_REPEAT, _constants.ATOMIC_GROUP):
            _rewrite_exactly(argument[2] if op is _constants.POSSESSIVE_REPEAT else argument, flags)
        else:
            raise UnknownError(str(op))


def _rewrite_exactly(tree: Any, flags: int) -> None:
    """Rewrite what keeps no way back: widened, it could take more than before."""
    inside: set[str] = set()
    _rewrite(tree, flags, False, inside)
    if inside:
        raise UnknownError("a possessive repeat tells characters apart")


def _test(op: Any, argument: Any, flags: int, wide: bool, told_apart: set[str]) -> tuple[Any, Any]:
    """A test of one character that knows the signs."""
    taken = _taken(op, repr(argument), flags, _Tree(op, argument))
    signs = set()
    for sign, kind in KINDS.items():
        some = taken & kind
        if some and some != kind:
            told_apart.add(sign)
        if some == kind or (some and wide):
            signs.add(sign)
    wanted = (taken & _LITERAL) | signs
    if wanted == taken:
        return op, argument
    if not wanted:
        return _constants.IN, [(_constants.LITERAL, 0x10FFFF)]
    return _constants.IN, [(_constants.LITERAL, ord(character)) for character in sorted(wanted)]


class _Tree(NamedTuple):
    """A test as a key that is not compared: what it says stands beside it."""

    op: Any
    argument: Any

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _taken(op: Any, said: str, flags: int, test: _Tree) -> frozenset[str]:
    """Which characters of ASCII, and which signs, a test takes as it is. `said` tells tests apart."""
    state = _parser.State()
    state.str = ""
    tree = _parser.SubPattern(state, [(test.op, test.argument)])
    pattern: re.Pattern[str] = _compiler.compile(tree, flags)
    return frozenset(character for character in sorted(_ALPHABET) if pattern.match(character))
