"""Which texts of an outline may hold a secret: by the gates that one of its texts may pass, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from log_aggregator import shapes_of
from log_aggregator.model.letters import CAPITAL, HEX, KINDS, UPPER, WORD
from log_aggregator_redact import cards
from log_aggregator_redact.alternation import alternatives
from log_aggregator_redact.automata import compiled
from log_aggregator_redact.finders import Finder, in_bytes
from log_aggregator_redact.joined import Joined
from log_aggregator_redact.view import ESCAPES
from log_aggregator_redact.wider import UnknownError, as_bytes, wider

ENOUGH = 4
"""Texts of an outline that make it worth to be looked at."""

MEMO_CHARACTERS = 2_000_000
"""What the memo of outlines holds at most; then it starts anew."""

_LOWERED = bytes.maketrans(b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"000000000abcdefghijklmnopqrstuvwxyz")


class _Gate(NamedTuple):
    """An alternative of the gate of a rule; `wide` says of which outlines a text may pass it."""

    rule: Finder
    expression: str
    wider: str
    wide: Callable[[bytes], object]


class _Opened:
    """The gates that texts of some outlines may pass: all of them together, as far as they are known."""

    def __init__(self) -> None:
        self.gates: dict[_Gate, None] = {}
        self.find: Callable[[bytes], Iterable[Any]] | None = None
        self._by_rule: list[tuple[Finder, Any]] = []
        self._opens_more: Callable[[bytes], object] | None = None

    def lacks(self, outline: bytes) -> bool:
        """Whether a text of an outline may pass a gate that is not among these."""
        return self._opens_more is None or self._opens_more(outline) is not None

    def take_in(self, outline: bytes, gates: Sequence[_Gate]) -> None:
        """Add those of all gates that a text of an outline may pass."""
        self.gates.update(dict.fromkeys(gate for gate in gates if gate.wide(outline)))
        self.find = None
        others = [gate.wider for gate in gates if gate not in self.gates]
        self._opens_more = compiled("|".join(others).encode("latin-1")).search if others else _never

    def found_in(self, shapes: list[str]) -> set[int]:
        """The places of shapes in which a rule finds something."""
        if not self.gates:
            return set()
        if self.find is None:
            self.find = _joined_gate(self.gates).finditer
            rules = {id(gate.rule): gate.rule for gate in self.gates}.values()
            self._by_rule = [(one, _joined_gate(gate for gate in self.gates if gate.rule is one)) for one in rules]
        lowered = _lowered(shapes)
        touched = [place for place in sorted(Joined(lowered).touched(self.find)) if place < len(shapes)]
        if not touched:
            return set()
        joined = Joined([lowered[place] for place in touched])
        found: set[int] = set()
        for rule, gate in self._by_rule:
            passing = joined.passing(gate.search, gate.finditer)
            places = [touched[at] for at in passing if touched[at] not in found]
            found.update(place for place in places if rule.own or any(True for _ in rule.find(shapes[place])))
        return found


class Outlined:
    """The rules for texts of outlines, all ASCII. The answers are those that each text gets by itself."""

    def __init__(self, rules: Sequence[Finder], *, with_cards: bool) -> None:
        self._rules = [*rules, _as_rule(ESCAPES, lambda _: [()])]
        if with_cards:
            self._rules.append(_as_rule(cards.GATE, cards.CANDIDATE.finditer))
        self._gates: list[_Gate] = []
        self._came: dict[str, int] = {}
        self._opened: dict[str, _Opened] = {}
        self._known: dict[str, _Opened] = {}
        self._remembered = 0
        self._may_learn = True  # once in a call: it takes some 10 ms

    def prepare(self) -> None:
        """Make the wider gates, which takes a tenth of a second. May run in a thread."""
        if not self._gates:
            self._gates = list(_gates(self._rules))

    def doubtful(
        self, outlines: Sequence[str], messages: Sequence[Sequence[str]], by_shape: Callable[[list[str]], Iterable[int]]
    ) -> list[str]:
        """Those messages, each with others of its outline, in whose shape a rule finds something.

        `by_shape` gives the places of shapes for which this is so: of texts whose outline came too seldom.
        """
        self._may_learn = True
        alike: dict[int, list[str]] = {}
        opened: dict[int, _Opened | None] = {}
        for outline, some in zip(outlines, messages, strict=True):
            what = self._known.get(outline) or self._look_at(outline, len(some))
            opened[id(what)] = what
            alike.setdefault(id(what), []).extend(some)
        found: list[str] = []
        for key, some in alike.items():
            shapes = shapes_of(some)
            known = opened[key]
            found += [some[place] for place in (by_shape(shapes) if known is None else known.found_in(shapes))]
        return found

    def _look_at(self, outline: str, texts: int) -> _Opened | None:
        """What texts of an outline have to be looked at with; `None` when it came too seldom for the question."""
        self._remember(outline)
        self._came[outline] = came = self._came.get(outline, 0) + texts
        if came < ENOUGH:
            return None
        self.prepare()
        opened = self._opened.setdefault(_kind(outline), _Opened())
        text = as_bytes(outline)
        if opened.lacks(text):
            if not self._may_learn:
                return None
            self._may_learn = False
            opened.take_in(text, self._gates)
        self._known[outline] = opened
        return opened

    def _remember(self, outline: str) -> None:
        if outline in self._came:
            return
        self._remembered += len(outline) + 64
        if self._remembered > MEMO_CHARACTERS:
            self._came.clear()
            self._known.clear()
            self._remembered = len(outline) + 64


def _kind(outline: str) -> str:
    """What outlines have in common that may pass much the same gates."""
    signs = KINDS.keys() & set(outline)
    return "hex" if signs <= {"0", HEX, UPPER} else "words" if signs <= {"0", WORD, CAPITAL} else "other"


def _joined_gate(gates: Iterable[_Gate]) -> Any:
    return compiled("|".join(gate.expression for gate in gates).encode())


def _never(_: bytes) -> None:
    """Find nothing."""


def _as_rule(expression: str, find: Callable[[str], Iterable[Any]]) -> Finder:
    return Finder("", expression, in_bytes(expression).search, find)


def _gates(rules: Sequence[Finder]) -> Iterator[_Gate]:
    for rule in rules:
        for expression in alternatives(rule.expression) if rule.near else ():
            try:
                wide = wider(expression)
            except UnknownError:
                wide = ""  # found everywhere
            yield _Gate(rule, expression, wide, compiled(wide.encode("latin-1")).search)


def _lowered(shapes: Sequence[str]) -> list[bytes]:
    """The lower-case shapes of some ASCII texts, translated at once."""
    joined = "\0".join(shapes).encode().translate(_LOWERED).split(b"\0")
    return joined if len(joined) == len(shapes) else [shape.encode().translate(_LOWERED) for shape in shapes]
