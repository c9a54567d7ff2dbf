"""Which words belong to what programs write, and which came only now and then, as names do."""

from __future__ import annotations

import re
import string

from log_aggregator.model.letters import CAPITAL, WORD, outline_of

FAMILIAR = 8
"""Times that a word came until it belongs to what programs write."""

_MOST = 50_000
"""Words that are counted, and pieces between blanks that are known to have no signs."""

_LONGEST = 64
"""Characters of a piece that is remembered."""

_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z][a-z]{2,31}(?=0{0,4}(?![A-Za-z0-9_]))")
_SIGNS = dict.fromkeys(map(ord, string.ascii_lowercase), WORD) | dict.fromkeys(
    map(ord, string.ascii_uppercase), CAPITAL
)
_BETWEEN = "\n\0\n"


class Vocabulary:
    """Counts the words of shapes that were not known, and puts signs in place of those that are not familiar.

    What it says changes with what it saw: it is a guess at what varies, on which no result may depend.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._familiar = {_BETWEEN}

    def outlines(self, shapes: list[str]) -> list[str]:
        """The outlines of some shapes, in order: with signs for ids (see `letters`) and for words not familiar.

        What gets a sign never reaches across a blank: so each piece between blanks is looked at by itself, and not
        again when it had nothing to replace.
        """
        separator = f" {_BETWEEN} "
        pieces = separator.join(shapes).split(" ")
        familiar = self._familiar
        places = [place for place, piece in enumerate(pieces) if piece not in familiar]
        fresh = [pieces[place] for place in places]
        outlined = self._without_names(outline_of(" ".join(fresh))).split(" ") if fresh else []
        for place, piece, outline in zip(places, fresh, outlined, strict=True):
            if outline != piece:
                pieces[place] = outline
            elif len(piece) <= _LONGEST:
                familiar.add(piece)
        if len(familiar) > _MOST:
            self._familiar = {_BETWEEN}
        text = " ".join(pieces)
        found = text.split(separator) if len(shapes) > 1 else [text]
        return found if len(found) == len(shapes) else [self.outlines([shape])[0] for shape in shapes]

    def _without_names(self, text: str) -> str:
        """A text with signs in place of each letter of the words that are not familiar."""
        if len(self._counts) > _MOST:
            self._counts = {word: count for word, count in self._counts.items() if count >= FAMILIAR}
            if len(self._counts) > _MOST // 2:
                self._counts.clear()
        return _WORD.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        count = self._counts[word] = self._counts.get(word, 0) + 1
        return word if count >= FAMILIAR else word.translate(_SIGNS)
