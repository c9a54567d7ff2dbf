"""How one text is redacted, and which texts need no look at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import filterfalse
from typing import Any, NamedTuple

import re2  # type: ignore[import-untyped]  # comes without types

from log_aggregator_redact import cards
from log_aggregator_redact.rule import Rule

MEMO_CHARACTERS = 8_000_000
"""What the memo holds at most, in characters of shapes; then it starts anew."""

MEMO_LENGTH = 4096
"""Of longer shapes only a digest is remembered."""

_LOWERED = bytes.maketrans(b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"000000000abcdefghijklmnopqrstuvwxyz")


def lowered_shape_of(text: str) -> bytes:
    """What gates are compared with: the shape in lower case (ASCII letters), as UTF-8."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWERED)


def _digest(shape: str) -> bytes:
    return blake2b(shape.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class _Compiled(NamedTuple):
    name: str
    gate: tuple[str, ...]
    near: Callable[[bytes], object] | None
    regex: re.Pattern[str]
    group: str | int
    own: bool


def _compile(rule: Rule, *, own: bool) -> _Compiled:
    regex = re.compile(rule.regex, re.ASCII)
    gate = tuple(literal.encode().decode("latin-1") for literal in rule.gate)
    near = _in_bytes(rule.near).search if rule.near else None
    return _Compiled(rule.name, gate, near, regex, "secret" if "secret" in regex.groupindex else 0, own)


@lru_cache(maxsize=64)
def _in_bytes(regex: str) -> Any:
    """An RE2 expression over bytes: linear, and a hundred alternatives cost no more than one."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(regex.encode(), options)


class Texts:
    """The rules, ready to use. `found` counts masks by rule; nothing of the texts is kept but shapes.

    The built-in rules tell no digit from another, so one look at a shape serves all its texts: a bounded
    memo remembers which shapes no rule can find anything in. Rules of the user may tell digits apart;
    they are believed only as far as their gates.
    """

    def __init__(self, built_in: Sequence[Rule], own: Sequence[Rule], with_cards: bool) -> None:
        self.found: Counter[str] = Counter()
        self._rules = [*(_compile(rule, own=False) for rule in built_in), *(_compile(rule, own=True) for rule in own)]
        self._cards = with_cards
        self._always = any(not rule.gate and not rule.near for rule in own)
        gates = [re.escape(literal) for rule in (*built_in, *own) for literal in rule.gate]
        gates += [rule.near for rule in (*built_in, *own) if rule.near] + ([cards.GATE] if with_cards else [])
        self._passes_a_gate = _in_bytes("|".join(gates)).search
        self._clean: set[str] = set()
        self._clean_digests: set[bytes] = set()
        self._unclean: set[str] = set()
        self._remembered = 0

    def redact(self, text: str) -> str:
        """The text with its secrets masked. The same as without any gate or memo."""
        for rule in self._rules_for(lowered_shape_of(text)):
            text = self._mask(rule, text)
        return cards.CANDIDATE.sub(self._mask_card, text) if self._cards else text

    def _rules_for(self, lowered: bytes) -> list[_Compiled]:
        """The rules whose gate this lower-case shape passes, in their order."""
        passed = []
        text = lowered.decode("latin-1")  # a search in text is faster than one in bytes
        for rule in self._rules:
            if rule.near is not None and rule.near(lowered):
                passed.append(rule)
                continue
            for literal in rule.gate:
                if literal in text:
                    passed.append(rule)
                    break
            else:
                if not rule.gate and rule.near is None:
                    passed.append(rule)
        return passed

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

    def _judge(self, fresh: set[str]) -> set[str]:
        """Those of the new shapes that may hold a secret. Short shapes are remembered, of long ones their digests."""
        long = {shape: _digest(shape) for shape in fresh if len(shape) > MEMO_LENGTH}
        if long:
            fresh = {shape for shape in fresh if long.get(shape) not in self._clean_digests}
        unclean: set[str] = set()
        if fresh and self._passes_a_gate(lowered_shape_of("\n".join(fresh))):
            unclean = {shape for shape in fresh if self._may_hold_a_secret(shape)}
        self._remember(fresh - unclean, unclean, long)
        return unclean

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

    def _may_hold_a_secret(self, shape: str) -> bool:
        lowered = lowered_shape_of(shape)
        if not self._passes_a_gate(lowered):
            return False
        if self._cards and cards.CANDIDATE.search(shape):
            return True
        return any(rule.own or rule.regex.search(shape) for rule in self._rules_for(lowered))

    def _mask(self, rule: _Compiled, text: str) -> str:
        out: list[str] = []
        end = 0
        for match in rule.regex.finditer(text):
            start, stop = match.span(rule.group)
            if start < 0 or start == stop:
                continue
            out += (text[end:start], f"[redacted:{rule.name}]")
            end = stop
            self.found[rule.name] += 1
        return "".join([*out, text[end:]]) if out else text

    def _mask_card(self, match: re.Match[str]) -> str:
        if not cards.is_card(match[0]):
            return match[0]
        self.found["card"] += 1
        return "[redacted:card]"
