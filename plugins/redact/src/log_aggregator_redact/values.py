"""Where the value of a name begins and ends, and which values are no secrets.

No digit is told from another here: what holds for a text holds for all texts of its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from log_aggregator_redact.beginnings import Alternatives
from log_aggregator_redact.names import Kind
from log_aggregator_redact.words import words

_OPENING = re.compile(r"""(?:[bur]{1,2}(?=["']))?(\\{0,8})(["'`“‘«「『])""", re.IGNORECASE)
_MAY_OPEN = frozenset("\"'`“‘«「『\\bBuUrR")
_CLOSING = {"“": "”", "‘": "’", "«": "»", "「": "」", "『": "』"}
_QUOTED = {q: re.compile(rf"(?:[^\\{q}]|\\.)*+(?={q})", re.DOTALL) for q in "\"'`”’»」』"}
_LETTER = re.compile(r"\w")
_LINE = re.compile(r"[^\n]*")
_BARE = re.compile(r"""(?:[^\s"'`,;&<(){}\[\]|]|<(?!/)|["'`,;&(){}\[\]|](?![\s"'`,;)}\]|]|\Z|[\w.-]{1,40}\s?[=:]))+""")
"""Without quotes a value goes on to the next blank; a comma, quote or bracket ends it only where a list would go on."""
_QUERY = re.compile(r"""[^\s&#"'<>]+""")
_SPANNED = re.compile(
    r"""[|>][+-]?\d?[+-]?[ \t]*\r?\n(?P<indent>[ \t]{1,60}+)(?P<block>\S[^\n]*+(?:\n(?P=indent)[^\n]*+){0,400})"""
    r"""|\"{3}\r?\n?(?P<double>[^"]{1,4000}+)(?=\"{3}|\Z)|'{3}\r?\n?(?P<single>[^']{1,4000}+)(?='{3}|\Z)"""
)
"""Blocks of YAML and texts in three quotes, which go on over lines."""
_MAY_SPAN = frozenset("|>\"'")
_LISTED = re.compile(r"""\[\s?(["']?)(?P<items>\w[^\[\]\n]{0,300}?)\1\s?\]""")


class Value(NamedTuple):
    """The span of a value, and whether it stands in quotes."""

    start: int
    stop: int
    is_quoted: bool


def value_at(text: str, start: int, accept: Callable[[int, bool], bool], *, in_query: bool = False) -> Value | None:
    """The value that begins at `start`, if any.

    `accept` is told where it begins and whether it is quoted before its end is looked for, so that each character is
    read at most twice, however many values are no secrets.
    """
    first = text[start : start + 1]
    whole = _SPANNED.match(text, start) if first in _MAY_SPAN else None
    if whole is not None:
        return (
            Value(*whole.span(whole.lastgroup or 0), True) if accept(whole.start(whole.lastgroup or 0), True) else None
        )
    opening = _OPENING.match(text, start) if first in _MAY_OPEN else None
    if opening is not None:
        return _quoted(text, opening) if accept(opening.end(), True) else None
    if in_query:
        found = _QUERY.match(text, start) if accept(start, False) else None
    else:
        listed = _LISTED.match(text, start) if first == "[" else None
        if listed is not None:
            return Value(*listed.span("items"), True) if accept(listed.start("items"), True) else None
        found = _BARE.match(text, start) if accept(start, False) else None
    return Value(start, found.end(), False) if found else None


def _quoted(text: str, opening: re.Match[str]) -> Value | None:
    begin, (escape, quote) = opening.end(), opening.groups()
    quote = _CLOSING.get(quote, quote)
    if escape:
        stop = text.find(escape + quote, begin)
    else:
        quoted = _QUOTED[quote].match(text, begin)
        stop = quoted.end() if quoted else -1
    if stop < 0:  # the text was cut
        line = _LINE.match(text, begin)
        stop = line.end() if line and _LETTER.search(line[0]) else begin
    return Value(begin, stop, True) if stop > begin else None


_END = r"(?![^\s,.;:)}\]\"'`!?&/])"
_NOTHING = re.compile(
    r"[\[<({]*redacted|[*•●]{2}|[x#]{3,}(?!\w)|\.{3}"
    r"|(?:null|none|nil|true|false|undefined|empty|unset|yes|no|n/a|on|off|ok)"
    + _END
    + r"|[<\[({]{1,2}(?:filtered|secure|masked|hidden|removed|secret|protected|censored|omitted|"
    r"scrubbed|private|set|unset|empty|"
    r"hash|your|sensitive|unknown|missing|none|null|nil)[^<>\[\](){}]{0,40}[>\])}]|(?:filtered|masked|hidden|omitted|scrubbed|secure(?=\]))"
    + _END
    + r"|\$\{[^}\n]{1,200}\}|\$\(|\$[a-z_][a-z_\d]{0,60}(?!\S)"
    r"|\$\d{1,3}(?![\w$])|\{\{|\$\{\{|%\(?[a-z_]{0,40}\)?[sdvr](?!\w)|%[a-z_]{1,60}%(?!\w)"
    r"|<[a-z_ |:/.-]{1,60}>|\{[a-z_.]{0,60}\}(?!\w)|\?(?![^\s,;)])|[:@][a-z_]{2,60}(?=[\s,;)]|\Z)"
    r"|(?:\w?:){3}|(?:[a-z]{1,10}[_-])?(?:password|passphrase)(?=[\]>])|!(?:secret|vault|env|ref|include)(?!\S{0,200}\d)|(?-i:(?:NAME|VALUE|FILE|STRING)(?!\w)|(?:PASS(?:WORD|WD|PHRASE)?|SECRET|TOKEN|KEY)(?=\s\s))",
    re.IGNORECASE,
)
"""No value at all, one that was masked before, or the name of one: `${TOKEN}`, `%s`, `<password>`."""

_WORD = re.compile(r"[^\s,.;:)}\]\"'`!?&/]+")
_SENTENCE = frozenset(words("sentence"))
"""What follows a name in a sentence about it: `password: required`."""

_CODE = re.compile(
    r"[a-z_][\w.]{0,80}\((?:[^\s()]{0,80}\)?(?:\s|[,;)]|\Z)|[\w.]{0,80}\()|(?:self|this|config|settings|options|opts|args|env|os|process|request|req|params|"
    r"ctx|props|row|data|form|kwargs|credentials|creds)(?:\.[a-z_]|\[)|[a-z.$]{1,60}(?:\{(?![^\s{}]{0,60}\}[^\s,;)\]}])|@[\da-f]{1,8}(?!\w))|\[object|function",
    re.IGNORECASE,
)
"""An expression in a line of code, or how an object is printed: `token=Token{3f1 …}`, `password=getpass()`."""

_PATH = re.compile(
    r"(?:~|\.{1,2})/|file:|[a-z]:\\|/(?:etc|var|run|usr|home|opt|root|tmp|mnt|srv|app|secrets?|dev|proc|data|config|certs?|keys|vault)(?:/|(?!\S))|/\w{1,60}=",
    re.IGNORECASE,
)
_RANDOM = re.compile(
    r"(?!\dx)(?=(?:[^A-Za-z\s]{0,40}[A-Za-z]){3})(?=[^\d\s]{0,40}\d)"
    r"(?:(?=[^\d\s]{0,40}\d[^\d\s]{0,40}\d)|(?=(?:[\da-z_-]{0,9}[A-Z]+[\d_-]{0,3}[a-z]){4}))[\w+/=.~%:-]{16}"
)
_COMPOUND = re.compile(r"[A-Za-z]+\d{0,4}(?:[-_.:/][A-Za-z]+\d{0,4}|[-_.:/]\d{1,4})+(?![^\s\"',;)\]}])")
_MIXED = re.compile(r"(?=[^\s\"']{0,100}\d)(?=[^\s\"']{0,100}[A-Z])[^\s\"']{0,100}[a-z]")
"""Capitals, small letters and digits: no name of an object in a cluster."""
_LIKELY = re.compile(r"(?=[^\s\"'`]{0,200}\d|[^\s\"'`]{20})(?![/~])")
_NAMED = re.compile(r"(?:secret|password|token|credential|key)s?(?=\s[\"'])", re.IGNORECASE)
"""`"volume" : secret "name" not found`."""
_ARCH = re.compile(
    r"(?:amd\d\d|arm\d\d|i\d\d\d|armhf|armel|riscv\d\d|ppc\d\delf?|s\d\d\dx|mips\w*|all|any|x\d\d_\d\d)(?!\w)"
)
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,5}){1,4}[a-z]?(?:[+~_-]|(?!\S))")
_COUNT = re.compile(
    r"\d{1,9}(?:\.\d+)?%?(?=\s*(?:of\b|/|,|;|\)|\||\]|\w{2,20}\s*[:=]|(?:passed|tests?|times?|ms|s|sec|seconds?|fail\w*)\b))|\d{1,3}\s*\Z"
)
_SMALL = re.compile(r"(?:\d{1,4}|0x[\da-f]{1,16})(?!(?!\.(?:\s|\Z))[^\s,;)}\]\"'])|[a-z](?=\")", re.IGNORECASE)
_QUALIFIED = re.compile(r"[a-z\d-]{1,63}/[a-z][a-z\d.-]{0,80}(?![^\s\"',;)\]])")
_STATUS = re.compile(r"\d\.\d\.\d(?!\S)")
_COOKIE = re.compile(r"[\w.-]{1,100}=")
_STARTS = frozenset(word[:2] for word in _SENTENCE)
"""The first two letters of these words, and the words of one letter."""
_LONGEST_WORD = max(map(len, _SENTENCE))
_PIN = re.compile(r"\d{4,8}(?!\w)")


_ORDINARY = Alternatives("|".join(one.pattern for one in (_NOTHING, _PATH)), re.IGNORECASE)
_UNQUOTED = Alternatives("|".join(one.pattern for one in (_CODE, _ARCH, _VERSION, _NAMED)), re.IGNORECASE)


def prepare() -> None:
    """Compile what values are compared with, for each character that one may begin with: a few milliseconds each."""
    for alternatives in (_ORDINARY, _UNQUOTED):
        alternatives.prepare()


def _is_word(text: str, at: int) -> bool:
    """Whether a word of `sentence` stands there, alone."""
    start = text[at : at + 2].lower()
    if start not in _STARTS and start[:1] not in _STARTS:
        return False
    word = _WORD.match(text, at, at + _LONGEST_WORD + 1)
    return word is not None and word[0].lower() in _SENTENCE


def is_nothing(text: str, at: int) -> bool:
    """Whether a value is empty, masked already, or the name of a value."""
    return _NOTHING.match(text, at) is not None


def looks_random(text: str, start: int = 0) -> bool:
    """Whether a long word of letters and digits begins there that is no name of something."""
    return _RANDOM.match(text, start) is not None and _COMPOUND.match(text, start) is None


def is_compound(text: str, start: int) -> bool:
    """Whether names that are joined by hyphens, dots or slashes begin there: `default-token-x7`."""
    return _COMPOUND.match(text, start) is not None


def is_ordinary(text: str, at: int, kind: Kind, *, is_quoted: bool, is_tight: bool, name: str = "") -> bool:
    """Whether the value at `at` is no secret. `is_tight`: the name is assigned to, rather than spoken of."""
    if kind in _BY_FORM:
        return not _BY_FORM[kind](text, at)
    if kind == "cookie":
        if _COOKIE.match(text, at):  # `cookies` has judged it
            return True
        kind = "secret"
    if _ORDINARY.match(text, at) or _is_word(text, at) or (not is_quoted and _UNQUOTED.match(text, at)):
        return True
    if kind == "password":
        return name in _COUNTED and _COUNT.match(text, at) is not None
    return _is_no_token(text, at, is_tight=is_tight, name=name)


def _is_no_token(text: str, at: int, *, is_tight: bool, name: str) -> bool:
    if name not in _DIGITS and _SMALL.match(text, at):
        return True
    is_name = not is_tight and _COMPOUND.match(text, at) is not None and _MIXED.match(text, at) is None
    if name.endswith("secret") and (is_name or _QUALIFIED.match(text, at)):
        return True
    return not is_tight and _LIKELY.match(text, at) is None


def _is_pin(text: str, at: int) -> bool:
    return _PIN.match(text, at) is not None


def _is_never(text: str, at: int) -> bool:
    return False


_BY_FORM: dict[Kind, Callable[[str, int], bool]] = {"session": looks_random, "pin": _is_pin, "connection": _is_never}


def is_status(text: str) -> bool:
    """Whether a text is the status of a delivery, `5.1.1`, which mail servers call `dsn`."""
    return _STATUS.match(text) is not None


_COUNTED = frozenset(("pass", "pwd", "pw"))
_DIGITS = frozenset(("otp", "totp", "hotp", "cvv", "cvc", "cvn", "pincode", "code", "puk"))
