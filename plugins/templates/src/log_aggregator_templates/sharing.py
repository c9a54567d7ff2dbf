"""Which templates have a word in common."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from log_aggregator_templates.template import Template

_FEW = 32
"""So many are kept as a list, which takes a third of the memory; more as the keys of a mapping, to be found at once."""

Word = tuple[int, str]
"""A place in a line, and what stands there."""

Some = list[Template] | dict[Template, None]
"""Templates that have a word in common, the newest last."""


class Sharing:
    """Templates by their words, the newest last."""

    __slots__ = ("_by_word",)

    def __init__(self) -> None:
        self._by_word: dict[Word, Some] = {}

    def add(self, template: Template, words: Iterable[Word]) -> None:
        """Note a template under its words."""
        for word in words:
            some = self._by_word.setdefault(word, [])
            if isinstance(some, dict):
                some[template] = None
            else:
                some.append(template)
                if len(some) > _FEW:
                    self._by_word[word] = dict.fromkeys(some)

    def remove(self, template: Template, words: Iterable[Word]) -> None:
        """Forget a template that was noted under these words."""
        for word in words:
            some = self._by_word[word]
            if isinstance(some, dict):
                del some[template]
            else:
                some.remove(template)
            if not some:
                del self._by_word[word]

    def rarest(self, words: Iterable[Word], most: int) -> list[Some]:
        """Those that have one of these words, for up to `most` words, the rarest first."""
        return sorted([self._by_word[word] for word in words], key=len)[:most]


def newest(some: Iterable[Template], most: int) -> list[Template]:
    """Up to `most` templates of some, those that were noted last, in any order."""
    return list(islice(reversed(some), most))  # type: ignore[call-overload]  # lists and mappings can be reversed
