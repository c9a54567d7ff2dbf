"""Values that a name is given: `password=…`, `"api_key": "…"`, `token: …`, `--secret …`, `password is …`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from log_aggregator_redact.keywords import NAME_LETTERS, NEAR, PART, SHORT, TAIL, lowered, name_before
from log_aggregator_redact.names import Kind, kind_of
from log_aggregator_redact.prose import is_described, is_no_name, is_result, is_spoken_of
from log_aggregator_redact.values import Value, is_ordinary, value_at
from log_aggregator_redact.words import either

Found = tuple[int, int, str]
"""Where a secret begins and ends, and the name of its mask."""

MASKS: dict[Kind, str] = {
    "password": "password", "secret": "secret", "session": "session", "pin": "secret", "connection": "secret",
    "cookie": "secret",
}  # fmt: skip

_CLOSERS = r"""(?:\\{0,8}["'`”’]|[\])])"""
_VISIBILITY = rf"(?:{_CLOSERS}?(?::\"?[\w\\]{{1,80}}\"?)?:(?:protected|private)(?=\]))?"
"""Behind names of properties as PHP prints them: `["pass":protected]=>`, `[pass:App\\Config:private] =>`."""
_SEPARATOR = r"(?::=|=>|==?|:(?!:)|(?<=[ \t])(?:->|→)(?=[ \t]))"

_ASSIGNED = re.compile(
    rf"(?:{PART}{TAIL}|(?<![a-z\d]){SHORT}(?![a-z\d])|[a-z]{{2,12}}+(?<=pw)\d{{0,3}}(?![a-z]))"
    rf"(?P<close>{_VISIBILITY}{_CLOSERS}{{0,3}}+)[ \t.]{{0,60}}+(?P<separator>{_SEPARATOR})(?P<gap>[ \t]{{0,60}}+)"
    r"(?:\n?[ \t]{0,60}+string\(\d{1,6}\)[ \t]{1,3})?(?=\S)"
)
_FLAG = re.compile(
    r"""(?<![\w/-])(?:--?|/)(?P<name>[a-z][\w.-]{0,60}+)(?:["']\s{0,3},\s{0,3}(?=["'])|["']?[ \t]{1,3})"""
    r"(?=[^\s-])(?!\[-)"
)
_HTTP = re.compile(r"HTTP/\d")
SIGNED = r"(?!(?:System|Java|Microsoft|Org|Com)\.)[A-Za-z]{1,60}+(?<=[a-z])[._+-][A-Z]"
"""Capitals behind a sign inside of a word: `Kessel.Flicker`."""
WITH_A_DIGIT = re.compile(rf"(?:(?=[^\s\"'`]{{0,100}}[\d!@#$%^&*])|(?={SIGNED}))[^\s\"'`]{{4,200}}")
_INNER = re.compile(
    r"(?:(?:Some|Optional|Just|Present|SecretStr|Secret|Sensitive|String|str|bytes)\s?(?:[(\[]|(?=\"))|"
    rf"\{{\s{{0,3}}[\"']?(?:{either('value_keys')})[\"']?\s{{0,3}}[:=]>?)\s?"
)
"""What a value is wrapped in: `Some("x")` of Rust and Scala, `{"value": "x"}`."""
_WRAPS = frozenset("SOJPsb{")
"""What these begin with."""

_WRAPPED = 3

_CHANGED = re.compile(r"""["']?[ \t]{1,3}(?:->|=>|→|~>)[ \t]{1,3}(?=\S)""")
"""Between an old value and a new one."""

NEAR_ASSIGNED = rf"""{NEAR}(?:\\*["'`”’]|[\])]|[ \t.])*(?:=|:|->|→)"""
NEAR_FLAG = (
    r"(?:^|[^a-z0-9_/-])(?:--?|/)[a-z0-9_.-]*(?:pass|pwd|pw|secret|token|key|cred|auth|otp|psk|jwt|cookie|bearer)"
    r"""[a-z0-9_.-]*["']?[\s,]"""
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
            changed = _CHANGED.match(text, at)
            value = changed and value_at(text, changed.end(), secret(text, kind, is_tight=True))
            if value and (value.is_quoted or WITH_A_DIGIT.match(text, value.start)):
                yield value.start, value.stop, MASKS[kind]
                at = value.stop


def _assigned_value(text: str, match: re.Match[str], name: str, kind: Kind) -> Value | None:
    close, separator = match["close"], match["separator"]
    begin = match.start("close") - len(name)
    if is_spoken_of(text, begin, name, kind, close, separator, match.end()):
        return None
    before = text[max(0, begin - 8) : begin]
    at: int | None = match.end()
    is_expansion = separator == ":" and before.endswith("${")
    if is_expansion or text[match.end()] in _WRAPS:
        at = _unwrapped(text, match.end(), is_expansion=is_expansion)
    if at is None:
        return None
    is_tight = separator not in (":", "->", "→") or not match["gap"] or close.strip(")") != ""
    if separator == ":" and not close.strip("])") and is_no_name(text, at, name, before):
        return None
    last = name.lower().rpartition("_")[2]
    value = value_at(
        text,
        at,
        secret(text, kind, is_tight=is_tight, name=last),
        in_query=separator == "=" and before.endswith(("?", "&")),
    )
    if value is None or (separator in ("->", "→") and not WITH_A_DIGIT.match(text, value.start)):
        return None
    return None if is_result(text, name, before, value) else value


def _unwrapped(text: str, at: int, *, is_expansion: bool) -> int | None:
    """Where the value itself begins: in `Some("x")`, `{"value": "x"}` and `${PASSWORD:-x}`; `None`: there is none."""
    if is_expansion and text[at] in "-=?+":
        at += 1
        if text[at - 1] in "?+" or text[at : at + 1] in ("", "}"):
            return None
    for _ in range(_WRAPPED):
        wrapping = _INNER.match(text, at)
        if wrapping is None or wrapping.end() >= len(text):
            break
        at = wrapping.end()
    return at


def flags(text: str) -> Iterator[Found]:
    """Secrets that follow a flag: `--password x`, `-Token x`, `["--api-key", "x"]`."""
    low = lowered(text)
    at = 0
    while (match := _FLAG.search(low, at)) is not None:
        at = match.end()
        kind = kind_of(text[match.start("name") : match.end("name")])
        if kind not in ("password", "secret", "cookie") or _HTTP.match(text, at):
            continue
        value = value_at(text, at, secret(text, kind, is_tight=True, name="otp"))
        if value is None or is_described(text, match.start(), value):
            continue
        yield value.start, value.stop, "flag"
        at = value.stop


def secret(text: str, kind: Kind, *, is_tight: bool, name: str = "") -> Callable[[int, bool], bool]:
    """What decides whether a value is a secret, by where it begins and whether it is quoted; see `value_at`."""

    def accept(at: int, is_quoted: bool) -> bool:
        return not is_ordinary(text, at, kind, is_quoted=is_quoted, is_tight=is_tight, name=name)

    return accept
