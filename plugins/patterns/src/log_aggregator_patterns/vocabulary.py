"""Which words belong to what programs write, and which came only now and then, as names do."""

from __future__ import annotations

import re
import string
from collections import Counter

from log_aggregator_patterns.letters import CAPITAL, WORD

FAMILIAR = 8
"""Times that a word came until it belongs to what programs write."""

_MOST = 50_000
"""Words that are counted."""

_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z][a-z]{2,31}(?=0{0,4}(?![A-Za-z0-9_]))")
_SIGNS = dict.fromkeys(map(ord, string.ascii_lowercase), WORD) | dict.fromkeys(
    map(ord, string.ascii_uppercase), CAPITAL
)
_SEPARATOR = "\n\0\n"


class Vocabulary:
    """Counts the words of shapes that were not known, and puts signs in place of those that are not familiar.

    What it says changes with what it saw: it is a guess at what varies, on which no result may depend.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def without_names(self, outlines: list[str]) -> list[str]:
        """The outlines, in order, with signs in place of each letter of the words that are not familiar."""
        joined = _SEPARATOR.join(outlines)
        self._counts.update(_WORD.findall(joined))
        found = _WORD.sub(self._word, joined).split(_SEPARATOR)
        if len(self._counts) > _MOST:
            self._counts = Counter({word: count for word, count in self._counts.items() if count >= FAMILIAR})
            if len(self._counts) > _MOST // 2:
                self._counts.clear()
        return found if joined.count("\0") < len(outlines) else outlines

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        return word if self._counts[word] >= FAMILIAR else word.translate(_SIGNS)
