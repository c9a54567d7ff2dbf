"""How a masked line is cut into words, separators and variable parts."""

from __future__ import annotations

import re
from sys import intern
from typing import NamedTuple

from log_aggregator.model.masks import MASK

VARIABLE = ""
"""Stands for a variable part where a line's words are compared; no word is empty."""

_WORD = re.compile(rf"""((?:{MASK.pattern}|\{{[A-Z][A-Z0-9_]*\}}|[^\s=:,;()\[\]{{}}<>|"'])+)""")
_BLANKS = re.compile(r"\s+")
_NOTHING = re.compile(r"(?<=[\s=:,])(?:\(\)|\[\])")
_GLUE = re.compile(r"[\s,:;|/]*")
_ASSIGNS = re.compile(r"(?:^|[^=!<>:+\s-])\s*=\s*[\[\"']?$")
_KEY_FOLLOWS = re.compile(r"\s*=(?!=)")
_LEFT_EMPTY = re.compile(r"(?:^|[^=!<>:+-])=(?=[\s,;)\]}|])")
_OPENS = ("(", "{", "<")
"""Behind a word these make it the name of a call or a type, which stays."""
_CONSTANTS = frozenset({"true", "false", "null", "nil", "none", "undefined", "nan"})


class Line(NamedTuple):
    """A masked line in parts: `separators[0] words[0] separators[1] … words[-1] separators[-1]`.

    `words[i]` is `VARIABLE` for a variable part; `texts[i]` is what the line shows there.
    """

    separators: tuple[str, ...]
    words: tuple[str, ...]
    texts: tuple[str, ...]


def cut(masked: str) -> Line:
    """Cut a masked line at blanks and at `= : , ; ( ) [ ] { } < > | " '`.

    Variable from the first sight are: a word with a placeholder in it, the value behind an equals
    sign, what would be between brackets that stand alone and hold nothing, and the words true, false,
    null and their like. Neighboring variable parts become one, so that lists of any length are cut the
    same.
    """
    if "()" in masked or "[]" in masked:
        masked = _NOTHING.sub(_filled, masked)
    parts = _WORD.split(_BLANKS.sub(" ", masked))
    cutter = _Cutter()
    last = len(parts) - 1
    for index in range(0, last, 2):
        separator, word, after = parts[index], parts[index + 1], parts[index + 2]
        if "=" in separator:
            separator = cutter.empty_values(separator, bool(_KEY_FOLLOWS.match(after)))
        if "{" in word:
            cutter.variable(separator, word)
        elif MASK.fullmatch(word):
            cutter.literal(separator, word)
        elif word.lower() in _CONSTANTS or _is_value(separator, after):
            cutter.variable(separator, "{VAR}")
        else:
            cutter.literal(separator, word)
    tail = parts[last]
    if tail.rstrip().endswith("=") and not tail.rstrip().endswith("=="):
        cutter.variable(tail.rstrip(), "")
        tail = tail[len(tail.rstrip()) :]
    cutter.separators.append(tail)
    return Line(tuple(cutter.separators), tuple(cutter.words), tuple(cutter.texts))


def _filled(brackets: re.Match[str]) -> str:
    return brackets[0][0] + "{VAR}" + brackets[0][1]


def _is_value(before: str, after: str) -> bool:
    if "=" not in before or not _ASSIGNS.search(before):
        return False
    return after[:1] not in _OPENS and not _KEY_FOLLOWS.match(after)


class _Cutter:
    def __init__(self) -> None:
        self.separators: list[str] = []
        self.words: list[str] = []
        self.texts: list[str] = []

    def literal(self, separator: str, word: str) -> None:
        word = intern(word)  # lines have many words in common, and each keeps its own
        self.separators.append(separator)
        self.words.append(word)
        self.texts.append(word)

    def variable(self, separator: str, text: str) -> None:
        """Add a variable part, or make it one with the variable part before it."""
        words, separators, texts = self.words, self.separators, self.texts
        if words and _GLUE.fullmatch(separator):
            if words[-1] == VARIABLE:
                texts[-1] += separator + text
                return
            if self._joined_by_a_sign():
                sign, before = texts.pop(), separators.pop()
                words.pop()
                texts[-1] += before + sign + separator + text
                return
        self.separators.append(separator)
        self.words.append(VARIABLE)
        self.texts.append(text)

    def empty_values(self, separator: str, key_follows: bool) -> str:
        """Give every key without a value (`user= host=…`) an empty one; returns what is left to separate."""
        found = _LEFT_EMPTY.search(separator)
        while found and (key_follows or separator[found.end() :].strip()):
            self.separators.append(separator[: found.end()])
            self.words.append(VARIABLE)
            self.texts.append("")
            separator = separator[found.end() :]
            found = _LEFT_EMPTY.search(separator)
        return separator

    def _joined_by_a_sign(self) -> bool:
        words = self.words
        if len(words) < 2 or words[-2] != VARIABLE or not _GLUE.fullmatch(self.separators[-1]):
            return False
        return len(words[-1]) == 1 and not words[-1].isalnum()
