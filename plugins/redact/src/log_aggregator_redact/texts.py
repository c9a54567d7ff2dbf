"""How one text is redacted, and which texts need no look at all."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, filterfalse
from typing import Any

from log_aggregator.model.masks import MASK
from log_aggregator_redact import cards
from log_aggregator_redact.assigned import Found
from log_aggregator_redact.finders import Finder, in_bytes, of_rule, spliced
from log_aggregator_redact.joined import Joined
from log_aggregator_redact.outlined import Outlined
from log_aggregator_redact.rule import Rule
from log_aggregator_redact.view import ESCAPES, View, normalized, plain, unescaped

MEMO_CHARACTERS = 8_000_000
"""What the memo holds at most, in characters of shapes; then it starts anew."""

MEMO_LENGTH = 4096
"""Of longer shapes only a digest is remembered."""

SECTION = 10
"""Rules that have one gate together beside their own."""

COUNTING = 20
"""Counted repeats of a gate that is searched alone."""

LONG = 1500
"""Characters of a gate that holds the words of all names. Two such gates beside many others have too many states
for the automaton's memory, and the search gets ten times as slow.
"""

_LOWERED = bytes.maketrans(b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"000000000abcdefghijklmnopqrstuvwxyz")


def lowered_shape_of(text: str) -> bytes:
    """What gates are compared with: the shape as it reads, in lower case (ASCII letters), as UTF-8."""
    return normalized(text).encode("utf-8", "surrogatepass").translate(_LOWERED)


def _digest(shape: str) -> bytes:
    return blake2b(shape.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _in_parts(gates: Sequence[str]) -> Iterator[Sequence[str]]:
    """The gates in a few parts. Together they need a new state of the automaton for nearly each random character."""
    counting = [gate for gate in gates if gate.count("{") > COUNTING]
    long = [gate for gate in gates if len(gate) > LONG and gate not in counting]
    others = [gate for gate in gates if gate not in counting and gate not in long]
    yield from ([gate] for gate in counting)
    for some in (long, others):
        yield some[: len(some) // 2]
        yield some[len(some) // 2 :]


_has_escapes = in_bytes(ESCAPES).search
_may_be_card = in_bytes(cards.GATE).search


class Texts:
    """The rules, ready to use. `found` counts masks by rule; nothing of the texts is kept but shapes.

    The built-in rules tell no digit from another, so one look at a shape serves all its texts: a bounded
    memo remembers which shapes no rule can find anything in. Rules of the user may tell digits apart;
    they are believed only as far as their gates. Texts with escapes (`%3D`) are looked at one by one.
    """

    def __init__(
        self, built_in: Sequence[Finder], own: Sequence[Rule], with_cards: bool, off: Sequence[str] = ()
    ) -> None:
        """`off`: masks that are not set."""
        self.found: Counter[str] = Counter()
        self._rules = [*built_in, *(of_rule(rule, own=True) for rule in own)]
        self._sections = list(_sections(self._rules))
        self._off = frozenset(off)
        self._cards = with_cards
        self._always = any(rule.near is None for rule in self._rules)
        gates = [rule.expression for rule in self._rules if rule.expression] + ([cards.GATE] if with_cards else [])
        parts = [in_bytes("|".join(some)) for some in _in_parts([*gates, ESCAPES]) if some]
        self._gates = [part.finditer for part in parts]
        self._searches = [part.search for part in parts]
        self._outlined = None if self._always else Outlined(self._rules, with_cards=with_cards)
        self._clean: set[str] = set()
        self._clean_digests: set[bytes] = set()
        self._unclean: set[str] = set()
        self._remembered = 0

    def prepare(self) -> None:
        """Make what texts of outlines are looked at with. May run in a thread."""
        if self._outlined is not None:
            self._outlined.prepare()

    def passes_a_gate(self, lowered: bytes) -> bool:
        """Whether a lower-case shape passes the gate of any rule."""
        return any(search(lowered) for search in self._searches)

    def redact(self, text: str) -> str:
        """The text with its secrets masked. The same as without any gate or memo."""
        lowered = lowered_shape_of(text)
        if not self._always and not self.passes_a_gate(lowered):
            return text
        text = self._masked(text, plain(text), lowered)
        if _has_escapes(lowered):
            view = unescaped(plain(text))
            if view is not None:
                text = self._masked(text, view, lowered_shape_of(view.text), escaped=True)
        return text

    def _masked(self, text: str, view: View, lowered: bytes, *, escaped: bool = False) -> str:
        """The text with the secrets masked that its view shows. `escaped`: the view undoes escapes."""
        current: View | None = view
        for rule in self._rules_for(lowered):
            current = current or _view_of(text, escaped=escaped)
            spans = [found for found in rule.find(current.text) if found[2] not in self._off]
            if spans:
                text, current = self._spliced(text, current, spans), None
        if self._cards and _may_be_card(lowered):
            current = current or _view_of(text, escaped=escaped)
            found = cards.CANDIDATE.finditer(current.text)
            spans = [(match.start(), match.end(), "card") for match in found if cards.is_card(match[0])]
            if spans:
                text = self._spliced(text, current, spans)
        return text

    def _spliced(self, text: str, view: View, spans: list[Found]) -> str:
        if "[redacted:" in view.text:
            spans = _beside_masks(view.text, spans)
        text, names = spliced(text, [(*view.span(start, stop), name) for start, stop, name in spans])
        self.found.update(names)
        return text

    def _rules_for(self, lowered: bytes) -> Iterator[Finder]:
        """The rules whose gate this lower-case shape passes, in their order."""
        for near, rules in self._sections:
            if near is None or near(lowered):
                for rule in rules:
                    if rule.near is None or rule.near(lowered):
                        yield rule

    def doubtful(self, shapes: Sequence[str]) -> Sequence[int]:
        """The positions of shapes whose texts must be redacted one by one; all others hold no secret."""
        if self._always:
            return range(len(shapes))
        suspects = set(filterfalse(self._clean.__contains__, shapes))
        if not suspects:
            return ()
        unclean = suspects & self._unclean
        if len(unclean) < len(suspects):
            unclean |= self._judge(suspects - unclean)
        return [index for index, shape in enumerate(shapes) if shape in unclean] if unclean else ()

    def doubtful_of_outlines(self, outlines: Sequence[str], messages: Sequence[Sequence[str]]) -> Iterable[str]:
        """The messages that must be redacted one by one, of those that outlines have in common."""
        if self._outlined is None:
            return chain.from_iterable(messages)
        return self._outlined.doubtful(outlines, messages, self.doubtful)

    def _judge(self, fresh: set[str]) -> set[str]:
        """Those of the new shapes that may hold a secret. Short shapes are remembered, of long ones their digests."""
        long = {shape: _digest(shape) for shape in fresh if len(shape) > MEMO_LENGTH}
        if long:
            fresh = {shape for shape in fresh if long.get(shape) not in self._clean_digests}
        unclean: set[str] = set()
        if fresh:
            unclean = self._holding_a_secret(self._at_gates(list(fresh)))
        self._remember(fresh - unclean, unclean, long)
        return unclean

    def _at_gates(self, shapes: list[str]) -> list[str]:
        """The shapes that may pass a gate: those that a match in all of them together touches."""
        joined = Joined(list(map(lowered_shape_of, shapes)))
        touched: set[int] = set()
        for gate in self._gates:
            touched |= joined.touched(gate)
        return [shapes[place] for place in sorted(touched) if place < len(shapes)]

    def _remember(self, clean: set[str], unclean: set[str], long: dict[str, bytes]) -> None:
        self._remembered += sum(64 if shape in long else 64 + len(shape) for shape in clean | unclean)
        if self._remembered > MEMO_CHARACTERS:
            self._clean.clear()
            self._clean_digests.clear()
            self._unclean.clear()
            self._remembered = 0
        self._clean |= clean - long.keys()
        self._clean_digests |= {digest for shape, digest in long.items() if shape in clean}
        self._unclean |= unclean - long.keys()

    def _holding_a_secret(self, shapes: list[str]) -> set[str]:
        """Those of the shapes in which a rule finds something, or has to look at each text. All gates in turn look at
        the shapes together: one by one, each would be compared with dozens of gates."""
        joined = Joined(list(map(lowered_shape_of, shapes)))
        found = {shapes[place] for place in joined.passing(_has_escapes, in_bytes(ESCAPES).finditer)}
        if self._cards:
            possible = [shapes[place] for place in joined.passing(_may_be_card, in_bytes(cards.GATE).finditer)]
            found.update(shape for shape in possible if cards.CANDIDATE.search(normalized(shape)))
        for near, rules in self._sections:
            places: Sequence[int] = range(len(shapes))
            if near is not None:
                places = joined.passing(near, _gate_of(rules))
            some = [shapes[place] for place in places if shapes[place] not in found]
            if some:
                found |= _found_by(rules, some)
        return found


def _gate_of(rules: Sequence[Finder]) -> Callable[[bytes], Iterable[Any]]:
    gate: Callable[[bytes], Iterable[Any]] = in_bytes("|".join(rule.expression for rule in rules)).finditer
    return gate


def _found_by(rules: Sequence[Finder], shapes: list[str]) -> set[str]:
    """The shapes in which one of the rules finds something; one of the user is believed as far as its gate."""
    joined = Joined(list(map(lowered_shape_of, shapes)))
    found: set[str] = set()
    for rule in rules:
        places: Sequence[int] = range(len(shapes))
        if rule.near is not None:
            places = joined.passing(rule.near, in_bytes(rule.expression).finditer)
        found.update(
            shapes[place] for place in places if rule.own or any(True for _ in rule.find(normalized(shapes[place])))
        )
    return found


def _view_of(text: str, *, escaped: bool) -> View:
    view = plain(text)
    return (unescaped(view) if escaped else None) or view


def _beside_masks(text: str, spans: list[Found]) -> list[Found]:
    """The spans that tear no mask: those that begin or end inside of one are left out, and masks themselves."""
    masks = [mask.span() for mask in MASK.finditer(text)]
    return [span for span in spans if not _tears(masks, span[0], span[1])]


def _tears(masks: list[tuple[int, int]], start: int, stop: int) -> bool:
    before = bisect_left(masks, (start + 1,)) - 1
    if before >= 0 and start < masks[before][1] and (start > masks[before][0] or stop <= masks[before][1]):
        return True
    before = bisect_left(masks, (stop,)) - 1
    return before >= 0 and masks[before][0] < stop < masks[before][1]


def _sections(rules: Sequence[Finder]) -> Iterator[tuple[Callable[[bytes], object] | None, Sequence[Finder]]]:
    """The rules in their order, some at a time, with a gate for all of these."""
    some: list[Finder] = []
    for rule in rules:
        if some and (len(some) == SECTION or max(len(rule.expression), len(some[-1].expression)) > LONG):
            yield _gate_before(some), some
            some = []
        some.append(rule)
    yield _gate_before(some), some


def _gate_before(rules: Sequence[Finder]) -> Callable[[bytes], object] | None:
    gate: Callable[[bytes], object] = in_bytes("|".join(rule.expression for rule in rules)).search
    return gate if all(rule.near for rule in rules) else None
