"""How lines that differ in names are cut once: a name in a line changes nothing but the word that it is.

Which words are names is a guess: those that came less often than the words of programs do. The result is always that
of `cut`. It asks about letters only whether a word is a constant or a unit, is a value behind an equals sign, or is
long: lines with an equals sign are cut anew, words that mean something to it are no names, and long ones are not built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from log_aggregator_templates.literals import CONSTANTS, TIME_UNITS
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import LONG_WORD, Line, cut, is_plain

FAMILIAR = 8
"""Times that a piece came until it belongs to the frame."""

_LONGEST = 1000
_MOST_NAMES = 12
_MOST = 20_000
_NAME = re.compile(r'("?)([A-Za-z]{3,32})("?[,;.]?)')
_SIGN = "\0"
_PROBES = tuple(f"zq{one}{two}" for one in "bcdfg" for two in "hjkl")[:_MOST_NAMES]
_PROBE = re.compile("zq[bcdfg][hjkl]")


class _Word(NamedTuple):
    """A word with names in it: its place, and the texts around them."""

    place: int
    texts: tuple[str, ...]


class Frame:
    """A line without its names, cut. `template` was shown the last line of the frame and had these `texts` then."""

    __slots__ = ("line", "template", "texts", "words")

    def __init__(self, line: Line, words: tuple[_Word, ...]) -> None:
        self.line = line
        self.words = words
        self.template: Template | None = None
        self.texts: tuple[str, ...] = ()

    def is_shown(self, template: Template) -> bool:
        """Whether to show a template a line of the frame changes nothing: it saw one, and shows what it showed then."""
        return self.template is template and self.texts is template.texts

    def note(self, template: Template) -> None:
        """Note that a template was shown a line of the frame."""
        self.template, self.texts = template, template.texts

    def filled(self, names: Sequence[str]) -> Line | None:
        """The line with these names; `None` where one makes a word long."""
        separators, words, texts = self.line
        filled, shown = list(words), list(texts)
        at = 0
        for place, around in self.words:
            word = around[0]
            for text in around[1:]:
                word += names[at] + text
                at += 1
            if len(word) > LONG_WORD:
                return None
            filled[place] = shown[place] = word
        return Line(separators, tuple(filled), tuple(shown))


class Frames:
    """Cuts lines, and remembers how lines are cut that are the same but for names. Bounded."""

    def __init__(self) -> None:
        self._familiar: set[str] = set()
        self._counts: dict[str, int] = {}
        self._once: set[int] = set()
        self._known: dict[str, Frame | None] = {}

    def cut(self, masked: str) -> tuple[Line, Frame | None]:
        """The line as `tokens.cut` gives it, and the frame that it is of, if one is known."""
        if len(masked) > _LONGEST or "=" in masked or _SIGN in masked or not masked.isascii():
            return cut(masked), None
        pieces = masked.split(" ")
        names = self._take_names(pieces)
        if not names or len(names) > _MOST_NAMES:
            return cut(masked), None
        frame = self._frame(" ".join(pieces), len(names))
        line = frame.filled(names) if frame is not None else None
        return (line, frame) if line is not None else (cut(masked), None)

    def _frame(self, text: str, names: int) -> Frame | None:
        """The frame with this text, if it came before."""
        if text in self._known:
            return self._known[text]
        if not self._came_before(text):
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        frame = self._known[text] = _frame_of(text, names)
        return frame

    def _take_names(self, pieces: list[str]) -> list[str]:
        """Put signs in place of the names of a line in pieces; the names."""
        names: list[str] = []
        familiar, counts = self._familiar, self._counts
        if len(familiar) > _MOST or len(counts) > _MOST:
            familiar.clear()
            counts.clear()
        for place in [place for place, piece in enumerate(pieces) if piece not in familiar]:
            piece = pieces[place]
            found = _NAME.fullmatch(piece)
            if found is None or found[2].lower() in _MEANING:
                familiar.add(piece)
                continue
            count = counts[piece] = counts.get(piece, 0) + 1
            if count >= FAMILIAR:
                familiar.add(piece)
                continue
            before, name, after = found.groups()
            names.append(name)
            pieces[place] = before + _SIGN + after
        return names

    def _came_before(self, text: str) -> bool:
        digest = hash(text)
        if digest in self._once:
            return True
        if len(self._once) >= _MOST:
            self._once.clear()
        self._once.add(digest)
        return False


_MEANING = CONSTANTS | TIME_UNITS
"""Words that are no names wherever they stand."""


def _frame_of(text: str, names: int) -> Frame | None:
    """How lines of a frame are cut, by one with names that nothing else has; `None` where names do not stay whole."""
    if _PROBE.search(text) or ("(" in text and not is_plain(text)):  # what is in brackets may be too long for a list
        return None
    probes = iter(_PROBES)
    line = cut("".join(next(probes) if sign == _SIGN else sign for sign in text))
    words: list[_Word] = []
    found: list[str] = []
    for place, (word, shown) in enumerate(zip(line.words, line.texts, strict=True)):
        if some := _PROBE.findall(word):
            if word != shown or "{" in word:
                return None
            words.append(_Word(place, tuple(_PROBE.split(word))))
            found += some
    return Frame(line, tuple(words)) if found == list(_PROBES[:names]) else None
