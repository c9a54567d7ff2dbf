"""How a masked line is cut into words, separators and variable parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern
from typing import NamedTuple

from log_aggregator.model.masks import MASK
from log_aggregator_templates.literals import CONSTANTS, TIME_UNITS, enumerates, is_constant_name, is_state
from log_aggregator_templates.scripts import BLANKLESS, HIRAGANA, KATAKANA, PUNCTUATION
from log_aggregator_templates.widening import LIST, STR, VAR

VARIABLE = ""
"""Stands for a variable part where a line's words are compared; no word is empty."""

_CUTS = r"""\s=:,;()\[\]{}<>|"'"""
_PLAIN = rf"(?:\{{[A-Z][A-Z0-9_]*\}}|[^{_CUTS}])+"
_IN_QUOTES = r"""(?:"[^"\s]{0,200}"|'[^'\s]{0,200}')"""
_ITEM = rf"""(?:"[^"\s]{{0,200}}"|'[^'\s]{{0,200}}'|{_PLAIN}(?::{_PLAIN}(?:\ \([^()]{{0,80}}\))?)?)"""
_WORD = re.compile(f"({_PLAIN})")
_ANY_WORD = re.compile(
    rf"""(
    {MASK.pattern}  # a mask of a guard
    |(?:(?<=[:]\ )|(?<=[\[(])){_ITEM}(?:,\ ?{_ITEM}){{1,500}}(?=[\])]|\s*$)  # a list
    |(?<=[^\W\d_]s:\ ){_IN_QUOTES}(?=\s*$)  # a list of one: `missing columns: 'x'`
    |(?<=[\[(]){_IN_QUOTES}(?=[\])])
    |(?<=\{{){_IN_QUOTES}(?:,\ ?{_IN_QUOTES}){{0,200}}(?=\}})
    |(?<=[\s=:,(\[{{>]")(?:\\.|[^"\\\s])(?:\\.|[^"\\]){{0,2000}}(?="(?![\w"{{]))   # a text in quotes
    |(?<=^")(?:\\.|[^"\\\s])(?:\\.|[^"\\]){{0,2000}}(?="(?![\w"{{]))
    |(?<=[\s=:,(\[{{>]')(?:''|[^'\s])(?:''|[^']){{0,2000}}(?='(?![\w'{{]))
    |(?:(?<==)|(?<==[\s"'\[])|(?<==[\s"'\[][\s"'\[])){_PLAIN}
    |[{KATAKANA}]+|[{HIRAGANA}]+|(?:(?![{KATAKANA}{HIRAGANA}])[{BLANKLESS}])+
    |(?:\{{[A-Z][A-Z0-9_]*\}}|[^{_CUTS}{BLANKLESS}{PUNCTUATION}])+
    )""",
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_NUMBERED = re.compile(r"[A-Za-z]{3,40}_\{ID\}|[A-Za-z_$][\w.$]{2,200}@\{(?:ID|HEX|NUM)\}")
_VALUE_FOLLOWS = re.compile(r"[:=([,{]\s?[\"']?$")
_VALUE_ENDS = re.compile(r"[\"']?(?:[,;)\]}|]|\s*\n)")
LONG_WORD = 160
"""Characters; a longer word is variable."""

_LONG_TEXT = 200
_LONG_LIST = 100
_BLANKS = re.compile(r"\s+")
_NOTHING = re.compile(r"""(?<=[\s=:,])(?:\(\)|\[\])|(?<=[\s=:,(\[])(?:''|\"\")(?=[\s,;)\]}]|$)""")
_GLUE = re.compile(r"[\s,:;|/]*")
_ASSIGNS = re.compile(r"(?:^|[^=!<>:+\s-])\s*=\s*[\[\"']?$")
_KEY_FOLLOWS = re.compile(r"\s*=(?!=)")
_LEFT_EMPTY = re.compile(r"(?:^|[^=!<>:+-])=(?=[\s,;)\]}|])")
_OPENS = ("(", "{", "<")
"""Behind a word these make it the name of a call or a type, which stays."""


class Line(NamedTuple):
    """A masked line in parts: `separators[0] words[0] separators[1] … words[-1] separators[-1]`.

    `words[i]` is `VARIABLE` for a variable part; `texts[i]` is what the line shows there.
    """

    separators: tuple[str, ...]
    words: tuple[str, ...]
    texts: tuple[str, ...]


def cut(masked: str) -> Line:
    """Cut a masked line at blanks and at `= : , ; ( ) [ ] { } < > | " '`, and where a script has no blanks.

    A text in quotes and a list are one word. Variable from the first sight are: a word with a placeholder in it, the
    value behind an equals sign unless it enumerates, what would be between brackets that stand alone and hold nothing,
    and true, false, null and their like where a value stands. Neighboring variable parts become one, so that lists of
    numbers of any length are cut the same.
    """
    if "()" in masked or "[]" in masked or "''" in masked or '""' in masked:
        masked = _NOTHING.sub(_filled, masked)
    parts = (_WORD if is_plain(masked) else _ANY_WORD).split(_BLANKS.sub(" ", masked))
    cutter = _Cutter()
    last = len(parts) - 1
    for index in range(0, last, 2):
        separator, word, after = parts[index], parts[index + 1], parts[index + 2]
        if "=" in separator:
            separator = cutter.empty_values(separator, bool(_KEY_FOLLOWS.match(after)))
        text = _shown(cutter.words, separator, word, after if index + 2 < last else after + "\n")
        if text is None and separator == " " and cutter.has_unit(word):
            cutter.variable(separator, word)
        elif text is None:
            cutter.literal(separator, word)
        else:
            cutter.variable(separator, text)
    tail = parts[last]
    if tail.rstrip().endswith("=") and not tail.rstrip().endswith("=="):
        cutter.variable(tail.rstrip(), "")
        tail = tail[len(tail.rstrip()) :]
    cutter.separators.append(tail)
    return Line(tuple(cutter.separators), tuple(cutter.words), tuple(cutter.texts))


def is_plain(masked: str) -> bool:
    """Whether a line has nothing of which several words are one: no quotes, no lists, no other scripts."""
    return masked.isascii() and not _NEEDS_ANY.search(masked)


def _filled(brackets: re.Match[str]) -> str:
    opening, closing = brackets[0][0], brackets[0][1]
    return opening + (STR if opening == closing else VAR) + closing


_NEEDS_ANY = re.compile(r"""["']|, |\[redacted|[\[(][^\])]*,""")


def _shown(before: Sequence[str], separator: str, word: str, after: str) -> str | None:
    """What a variable part shows; None when the word is literal."""
    if "{" in word and not _NUMBERED.fullmatch(word):
        return _of_placeholders(separator, word, after)
    if len(word) > LONG_WORD:
        return STR if _is_quoted(separator, after) else VAR
    if MASK.fullmatch(word):
        return None
    if "=" in separator and _is_value(separator, after):
        key = before[-1] if before else ""
        return None if _enumerates(key, word) else STR if _is_quoted(separator, after) else VAR
    if word.lower() in CONSTANTS and _VALUE_FOLLOWS.search(separator) and _VALUE_ENDS.match(after):
        return VAR
    return None


def _of_placeholders(separator: str, word: str, after: str) -> str | None:
    """A word with placeholders is variable, unless it is a text that says something without them."""
    is_quoted = _is_quoted(separator, after)
    if not is_quoted and len(word) > _LONG_LIST and word.count(",") > 1 and _LETTERS.search(_PLACEHOLDER.sub("", word)):
        return LIST
    if " " not in word or not is_quoted:
        return word
    rest = _PLACEHOLDER.sub("", word)
    if len(_LETTERS.findall(rest)) < 1:
        return word
    return STR if len(_WORDS.findall(rest)) < _WORDS_OF_A_TEXT or len(word) > _LONG_TEXT else None


_WORDS = re.compile(r"[^\W\d_]{2,}")
_WORDS_OF_A_TEXT = 2


def _enumerates(key: str, word: str) -> bool:
    if word.lower() in CONSTANTS:
        return False
    return is_state(word) or is_constant_name(word) or any(map(str.isdigit, word)) or enumerates(key)


def _is_quoted(separator: str, after: str) -> bool:
    return separator[-1:] in _QUOTES and after[:1] == separator[-1:]


def _is_more(rest: str) -> bool:
    """Does more follow than what a value begins with?"""
    return bool(rest.strip()) and rest.strip() not in _BEGINS


_QUOTES = ('"', "'")
_BEGINS = (*_QUOTES, "[", "(", "{")


def shown_when_learned(separators: Sequence[str], words: Sequence[str], place: int) -> str:
    """What is shown for a word that was learned to be variable."""
    if _is_quoted(separators[place], separators[place + 1]):
        return STR
    return LIST if "," in words[place] else VAR


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

    def has_unit(self, word: str) -> bool:
        """Is the word the unit of the last part, which is a time or a number?"""
        if not self.words or self.words[-1] != VARIABLE:
            return False
        return word == "%" or (word in TIME_UNITS and self.texts[-1].endswith("{TIME}"))

    def empty_values(self, separator: str, key_follows: bool) -> str:
        """Give every key without a value (`user= host=…`) an empty one; returns what is left to separate."""
        found = _LEFT_EMPTY.search(separator)
        while found and (key_follows or _is_more(separator[found.end() :])):
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
