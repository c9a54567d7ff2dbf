"""Values that a name is given: `password=…`, `"api_key": "…"`, `token: …`, `--secret …`, `password is …`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain

from log_aggregator_redact.keywords import NAME_LETTERS, NEAR, PART, SHORT, TAIL, lowered, name_before
from log_aggregator_redact.names import Kind, kind_of
from log_aggregator_redact.values import Value, is_ordinary, looks_random, value_at
from log_aggregator_redact.words import words

Found = tuple[int, int, str]
"""Where a secret begins and ends, and the name of its mask."""

MASKS: dict[Kind, str] = {
    "password": "password", "secret": "secret", "session": "session", "pin": "secret", "connection": "secret",
}  # fmt: skip

_CLOSERS = r"""(?:\\{0,8}["'`”’]|[\])])"""
_SEPARATOR = r"(?::=|=>|==?|:(?!:)|(?<=[ \t])(?:->|→)(?=[ \t]))"

_ASSIGNED = re.compile(
    rf"(?:{PART}{TAIL}|(?<![a-z\d]){SHORT}(?![a-z\d])|[a-z]{{2,12}}+(?<=pw)\d{{0,3}}(?![a-z]))"
    rf"(?P<close>{_CLOSERS}{{0,3}}+)[ \t.]{{0,60}}+(?P<separator>{_SEPARATOR})(?P<gap>[ \t]{{0,60}}+)"
    r"(?:\n?[ \t]{0,60}+string\(\d{1,6}\)[ \t]{1,3})?(?=\S)"
)
_FLAG = re.compile(
    r"""(?<![\w/-])(?:--?|/)(?P<name>[a-z][\w.-]{0,60}+)(?:["']\s{0,3},\s{0,3}(?=["'])|["']?[ \t]{1,3})(?=[^\s-])"""
)
_SENTENCE = re.compile(
    r"(?P<name>pass(?:word|wd|[ -]?phrase|code)|pwd|"
    r"passwort|kennwort|mot de passe|contrase[nñ]a|senha|wachtwoord|has[lł]o|heslo|passord|пароль|"
    r"pin(?:[ -]code)?|otp|"
    r"(?:access |auth |api |refresh |session |bearer )?(?:token|secret|key)|credentials?)"
    r"\s{1,3}(?:(?:for|of|für|para|pour)\s(?:the\s|user\s|key\s)?\S{1,60}?\s{0,3}(?=[\s:=]))?"
    r"(?:(?:lautet|ist|est|es|é|è|är|er|jest|je|is now|is|was|set to|changed to|reset to|to|"
    r"equals)\s{1,3}[:=]?\s?|[:=]\s{1,3})"
)
_TRIED = re.compile(
    r"(?:tried|tries|trying|wrong|bad|invalid|incorrect|using|used|with|entered|new|old|temporary|temp|default|initial|generated|typed|"
    r"sent|got|received)\s(?:password|passphrase|passwd|passcode|pw|pwd|pass)\s"
)
_SET = re.compile(
    r"(?<![\w.-])(?:env|arg|set|setenv|setx|export|(?:fastcgi|uwsgi)_param)"
    r"\s{1,3}(?P<name>[a-z][\w.-]{1,60}+)\s{1,3}(?=\S)"
)
_CELL = re.compile(r"\|\s{0,20}(?:[a-z_]{0,20}_)?(?:password|passwd|passphrase|pwd)\s{1,20}\|\s{0,20}(?=[^\s|])")
_WITH_A_DIGIT = re.compile(r"(?=[^\s\"'`]{0,100}[\d!@#$%^&*])[^\s\"'`]{4,200}")
_WITH_BOTH = re.compile(r"(?=[^\s\d]{0,60}\d)(?=[^\sA-Za-z]{0,60}[A-Za-z])[^\s\"'`]{6,200}")
_VERBS = frozenset(words("verbs"))
_FIRST_WORD = re.compile(r"[a-z]+(?=[_.-])|[a-z]+(?=[A-Z])")
_TEST = re.compile(r"(?i:test)|[\w-]*[/._:]|[a-z-]+\Z", re.ASCII)
_PASSES = re.compile(
    r"(?<!\w)(?:first|second|third|final|each|one|two|gc|compiler|llvm|single|test|\d(?:st|nd|rd|th)|multi|mark|sweep|\d|---)\s\Z"
)

NEAR_ASSIGNED = rf"""{NEAR}(?:\\*["'`”’]|[\])]|[ \t.])*(?:=|:|->|→)"""
NEAR_FLAG = (
    r"(?:^|[^a-z0-9_/-])(?:--?|/)[a-z0-9_.-]*(?:pass|pwd|pw|secret|token|key|cred|auth|otp|psk|jwt|cookie|bearer)"
    r"""[a-z0-9_.-]*["']?[\s,]"""
)
NEAR_SENTENCE = (
    r"(?:pass(?:word|wd|[ -]?phrase|code|wort|ord)|pwd|kennwort|mot de passe|contrase(?:n|ñ|Ñ)a|senha|"
    r"wachtwoord|has(?:l|ł|Ł)o|heslo|"
    r"пароль|Пароль|ПАРОЛЬ|pin(?:.code)?|otp|token|secret|key|credentials?)\s+(?:(?:for|of|für|para|pour)\s(?:the\s|user\s|key\s)?[^\s:=]+:?\s+)?"
    r"(?:lautet|ist|est|es|é|è|är|er|jest|je|is|was|set to|changed to|reset to|to|equals|:|=)\s|"
    r"(?:tried|tries|trying|wrong|bad|invalid|incorrect|using|used|with|entered|new|old|temporary|temp|default|initial|generated|typed|"
    r"sent|got|received)\s(?:password|passphrase|passwd|passcode|pw|pwd|pass)\s"
    r"|(?:pass.?(?:word|wd|phrase|code)|pwd)\s+(?:for|of|für|para|pour)\s[^:=\n]*[:=]\s"
    rf"|(?:env|arg|set|setx|export|param)\s+[a-z0-9_.-]*{NEAR}\s"
    r"|(?:password|passwd|passphrase|pwd)\s+\|\s"
)


def assigned(text: str) -> Iterator[Found]:
    """Secrets to which `=`, `:`, `=>` or `:=` leads from a name, with or without quotes and brackets."""
    low = lowered(text)
    at = 0
    while (match := _ASSIGNED.search(low, at)) is not None:
        at = match.end()
        start, stop = match.start(), match.start("close")
        name = name_before(text, start, stop) if start and text[start - 1] in NAME_LETTERS else text[start:stop]
        kind = kind_of(name)
        if kind is None or kind == "connection":
            continue
        value = _assigned_value(text, match, name, kind)
        if value is not None:
            yield value.start, value.stop, MASKS[kind]
            at = value.stop


def _assigned_value(text: str, match: re.Match[str], name: str, kind: Kind) -> Value | None:
    at = match.end()
    close, separator = match["close"], match["separator"]
    begin = match.start("close") - len(name)
    before = text[begin - 1] if begin else ""
    if before and before == text[at] and before in "\"'`" and not close:
        return None  # the quote closes: `"Password: "`
    is_tight = separator not in (":", "->", "→") or not match["gap"] or close.strip(")") != ""
    if separator == ":" and not close.strip("])") and _is_no_name(text, at, name, text[max(0, begin - 2) : begin]):
        return None
    last = name.lower().rpartition("_")[2]
    value = value_at(
        text,
        at,
        secret(text, kind, is_tight=is_tight, name=last),
        in_query=separator == "=" and before != "" and before in "?&",
    )
    if value is not None and separator in ("->", "→") and not _WITH_A_DIGIT.match(text, value.start):
        return None
    if value is not None and name.lower() == "pass" and _is_result(text, name, text[max(0, begin - 8) : begin], value):
        return None
    return value


def flags(text: str) -> Iterator[Found]:
    """Secrets that follow a flag: `--password x`, `-Token x`, `["--api-key", "x"]`."""
    low = lowered(text)
    at = 0
    while (match := _FLAG.search(low, at)) is not None:
        at = match.end()
        kind = kind_of(text[match.start("name") : match.end("name")])
        if kind not in ("password", "secret"):
            continue
        value = value_at(text, at, secret(text, kind, is_tight=True, name="otp"))
        if value is None:
            continue
        yield value.start, value.stop, "flag"
        at = value.stop


def sentences(text: str) -> Iterator[Found]:
    """Secrets that a sentence tells: `the new password is …`, `tried password …`."""
    low = lowered(text)
    for match in _SENTENCE.finditer(low):
        kind = kind_of(match["name"]) or "session"
        value = value_at(text, match.end(), secret(text, kind, is_tight=False, name="otp"))
        if value is None:
            continue
        if kind == "password" and (value.is_quoted or _WITH_A_DIGIT.match(text, value.start)):
            yield value.start, value.stop, "password"
        elif kind != "password" and (looks_random(text, value.start) or kind == "pin"):
            yield value.start, value.stop, MASKS[kind]
    yield from _directives(text, low)
    for match in chain(_TRIED.finditer(low), _CELL.finditer(low)):
        value = value_at(text, match.end(), secret(text, "password", is_tight=False))
        if value is None:
            continue
        if value.is_quoted or _WITH_BOTH.match(text, value.start):
            yield value.start, value.stop, "password"


def _directives(text: str, low: str) -> Iterator[Found]:
    """Names and values that a command sets without a separator: `ENV DB_PASS x`."""
    for match in _SET.finditer(low):
        given = kind_of(text[match.start("name") : match.end("name")])
        if given not in ("password", "secret"):
            continue
        value = value_at(text, match.end(), secret(text, given, is_tight=False))
        if value is not None and (value.is_quoted or _WITH_A_DIGIT.match(text, value.start)):
            yield value.start, value.stop, MASKS[given]


def secret(text: str, kind: Kind, *, is_tight: bool, name: str = "") -> Callable[[int, bool], bool]:
    """What decides whether a value is a secret, by where it begins and whether it is quoted; see `value_at`."""

    def accept(at: int, is_quoted: bool) -> bool:
        return not is_ordinary(text, at, kind, is_quoted=is_quoted, is_tight=is_tight, name=name)

    return accept


def _is_no_name(text: str, at: int, name: str, before: str) -> bool:
    """Whether what stands before a colon is a scheme, a path or a function: `token://`, `/etc/passwd:`."""
    if text.startswith("//", at) or (before[-1:] == "/" and before[-2:-1].isalnum()):
        return True
    first = _FIRST_WORD.match(name)
    return first is not None and first[0] in _VERBS


def _is_result(text: str, name: str, before: str, value: Value) -> bool:
    """Whether `pass: …` says how often something was done, or `PASS: …` begins a line as test runners write it."""
    if _PASSES.search(before.lower()):
        return True
    return name == "PASS" and before[-1:] in ("", "\n") and _TEST.match(text, value.start, value.stop) is not None
