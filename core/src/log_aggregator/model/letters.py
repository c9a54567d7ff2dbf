"""Signs that stand for characters of a kind, and which parts of a line they replace.

Lines that differ in a fresh id have shapes of their own, but the rules treat them alike. Here such parts are replaced,
character by character, by signs: each stands for any character of its kind. A line with signs is an *outline*.
What is replaced is a guess about what varies; whether a result holds for all lines of an outline, each stage decides
by an analysis of its rules.
"""

from __future__ import annotations

import re
import string
from functools import cache

_LOWER_HEX = "0123456789abcdef"
_UPPER_HEX = "0123456789ABCDEF"

HEX, UPPER, ALNUM, MIXED, WORD, CAPITAL, BASE64 = "\ua4d0\ua4d1\ua4d2\ua4d3\ua4d4\ua4d5\ua4d6"
"""Letters of a script (Lisu) that a line with signs has nothing else of: only ASCII lines get signs."""

KINDS = {
    "0": frozenset(string.digits),
    HEX: frozenset(_LOWER_HEX),
    UPPER: frozenset(_UPPER_HEX),
    ALNUM: frozenset(string.digits + string.ascii_lowercase),
    MIXED: frozenset(string.digits + string.ascii_letters),
    WORD: frozenset(string.ascii_lowercase),
    CAPITAL: frozenset(string.ascii_uppercase),
    BASE64: frozenset(string.digits + string.ascii_letters + "+/"),
}
"""What each sign stands for. In an outline, as in a shape, a zero stands for any digit."""

_MAY_VARY = re.compile(r"(?<![\w.%+/@:-])(?=[A-Za-z_.%+/:-]*+[0@])(?=[0_.%+/:-]*+[A-Za-z@])[\w.%+/@:-]{6,}", re.ASCII)
"""Words with letters and digits, or with an `@`: where something may vary."""

_FORMS = (
    ("@", r"(?<![\w+/=@.-])(?P<mail>[A-Za-z0-9][\w.%+-]{0,63}@(?:[a-z0-9-]{1,63}\.)+)(?=[a-z]{2,12}(?![\w-]))"),
    ("-", r"(?<![0-9A-Za-z])(?P<uuid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![0-9A-Za-z])"),
    (":", r"(?<![\w:.])(?=[0:]{0,38}[a-f])(?P<ipv6>[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:.])"),
    (
        "",
        (
            r"(?<![\w+/=-])(?=[a-z0+/]{0,40}[A-Z])(?=[A-Za-z+/]{0,40}0)(?=[A-Z0+/]{0,40}[a-z])"
            r"(?P<base64>[A-Za-z0+/]{16,200})(?![\w+/-])"
        ),
    ),
    ("-", r"(?<![\w-])(?P<pod>(?:[a-z0]{1,30}-){1,6}(?=[a-z]{0,9}0)[a-z0]{6,10}-[a-z0]{5})(?![\w-])"),
    ("", r"(?<![\w.])(?=[a-f]{0,60}0)(?=0{0,60}[a-f])(?P<hex>[0a-f]{6,128})(?![\w.])"),
    ("", r"(?<![\w.])(?=[A-F]{0,60}0)(?=0{0,60}[A-F])(?P<upper>[0A-F]{6,128})(?![\w.])"),
    ("", r"(?<![\w.])(?=[a-z]{0,40}0)(?=0{0,40}[a-z])(?P<alnum>[0a-z]{8,64})(?![\w.])"),
    ("", r"(?<![\w.])(?=[A-Za-z]{0,40}0)(?=0{0,40}[A-Za-z])(?P<mixed>[0A-Za-z]{10,64})(?![\w.])"),
)
"""What is replaced, each with a character that it cannot be without, in the order in which they are tried."""


@cache
def _varying(mail: bool, hyphen: bool, colon: bool) -> re.Pattern[str]:
    """The forms that a word with or without these characters may have."""
    has = {"@": mail, "-": hyphen, ":": colon, "": True}
    return re.compile("|".join(form for needed, form in _FORMS if has[needed]))


def _table(sign: str, replaced: str) -> dict[int, str]:
    return dict.fromkeys(map(ord, replaced), sign)


_TABLES = {
    "mail": _table(WORD, string.ascii_lowercase),
    "ipv6": _table(HEX, _LOWER_HEX),
    "base64": _table(MIXED, "".join(KINDS[MIXED])),  # its `+` and `/` stay: to many rules they are an end
}
_WHOLE = {"hex": HEX, "upper": UPPER, "alnum": ALNUM, "mixed": MIXED}
"""The sign that takes the place of each character."""

_UUID = "-".join(HEX * length for length in (8, 4, 4, 4, 12))


def outline_of(shape: str) -> str:
    """The outline of a shape."""
    return _MAY_VARY.sub(_word, shape)


def _word(found: re.Match[str]) -> str:
    word = found[0]
    return _varying("@" in word, "-" in word, ":" in word).sub(_signs, word)


def _signs(found: re.Match[str]) -> str:
    kind, text = found.lastgroup or "", found[0]
    if kind in _WHOLE:
        return _WHOLE[kind] * len(text)
    if kind == "uuid":
        return _UUID
    if kind == "pod":
        name, middle, last = text.rsplit("-", 2)
        return f"{name}-{ALNUM * len(middle)}-{ALNUM * len(last)}"
    return text.translate(_TABLES[kind])


_BROKEN = re.compile(rf"(?=[+/]{{0,40}}{MIXED})[{MIXED}+/]{{16,200}}")


def coarser(outline: str) -> str:
    """The outline with a sign for `+` and `/` in base64, too: itself where there is none of them."""
    return _BROKEN.sub(_base64, outline)


def _base64(found: re.Match[str]) -> str:
    text = found[0]
    return BASE64 * len(text) if "+" in text or "/" in text else text
