"""Values in statements of SQL: where passwords are set, and columns whose names denote secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from log_aggregator_redact.assigned import MASKS, Found, secret
from log_aggregator_redact.keywords import lowered
from log_aggregator_redact.names import Kind, kind_of
from log_aggregator_redact.values import Value, is_nothing, looks_random, value_at

_SQL = re.compile(
    r"""identified\s{1,3}(?:with\s{1,3}\S{1,60}\s{1,3})?(?:by|as)\s{1,3}(?:password\s{1,3}|values\s{1,3})?(?=[^\s;])"""
    r"""|(?:password|passwd|passphrase|pwd)\s{1,3}(?=\\{0,8}['"])"""
    r"""|(?:(?:old_)?password|(?<![\w$.])crypt|encryptbypassphrase|decryptbypassphrase|gen_salt_for)\s?\(\s?(?!(?P<quote>["'])[^"'\n]{0,100}(?P=quote)\s?,\s?["'])(?=\\{0,8}['"])"""
    r"""|(?:aes_(?:en|de)crypt|pgp_sym_(?:en|de)crypt(?:_bytea)?|hmac)\([^()\n]{1,300}?,\s{0,3}(?=\\{0,8}['"])"""
)
_INSERT = re.compile(
    r"""(?:insert|replace|upsert|merge)\s[^()\n]{0,200}?\((?P<columns>[^()]{1,4000}+)\)\s{0,9}(?:output\s[^()]{0,200}|overriding\s\w+\svalue\s)?values?\s{0,9}(?=\()"""
)
_FIELD = re.compile(
    r"""\s*(?P<value>[nNeE]?'(?:[^'\\]|''|\\.)*+'|"(?:[^"\\]|\\.)*+"|\\"[^"]*\\"|[^,()'"]*(?:\([^()]*\))?[^,()'"]*)\s*(?P<end>[,)])""",
    re.DOTALL,
)
_STATEMENT = re.compile(r"\b(?:create|alter|grant|rename|set)\s")
_DIGIT = re.compile(r"\d")
_NEXT_ROW = re.compile(r"\s*,\s*(?=\()")

NEAR_SQL = (
    r"identified\s|(?:password|passwd|passphrase|pwd)\s+\\*['\"]"
    r"|(?:password|crypt|phrase|_bytea|hmac)\s?\(|values?\s*\("
)


def statements(text: str) -> Iterator[Found]:
    """`IDENTIFIED BY 'x'`, `PASSWORD 'x'`, `PASSWORD('x')`, `INSERT INTO … (password) VALUES ('x')`."""
    low = lowered(text)
    for match in _SQL.finditer(low):
        value = value_at(text, match.end(), secret(text, "password", is_tight=True))
        if value is not None and not _is_prose(text, low, match, value):
            yield value.start, value.stop, "password"
    for match in _INSERT.finditer(low):
        columns = [column.strip(" \t\n\"'`[]\\") for column in match["columns"].split(",")]
        kinds = [kind_of(column) for column in columns]
        if any(kinds):
            yield from _rows(text, match.end(), kinds)


def _is_prose(text: str, low: str, match: re.Match[str], value: Value) -> bool:
    """Whether `identified by` is that of a sentence: `the key identified by keygrip`."""
    if not match[0].startswith("identified") or text.startswith("IDENTIFIED", match.start()):
        return False
    before = low[max(0, match.start() - 200) : match.start()]
    return _STATEMENT.search(before) is None and (value.is_quoted or not _DIGIT.search(low, value.start, value.stop))


def _rows(text: str, at: int, kinds: list[Kind | None]) -> Iterator[Found]:
    while text.startswith("(", at):
        at += 1
        for kind in kinds:
            field = _FIELD.match(text, at)
            if field is None:
                return
            at = field.end()
            if kind is not None:
                yield from _field(text, *field.span("value"), kind)
            if field["end"] == ")":
                break
        following = _NEXT_ROW.match(text, at)
        if following is None:
            return
        at = following.end()


def _field(text: str, start: int, stop: int, kind: Kind) -> Iterator[Found]:
    if start == stop:
        return
    start += text[start] in "nNeE" and text[start + 1 : start + 2] == "'"
    value = value_at(text, start, _given(text, kind))
    if value is not None:
        yield value.start, max(value.stop, stop - 1) if value.is_quoted else stop, MASKS[kind]


def _given(text: str, kind: Kind) -> Callable[[int, bool], bool]:
    def accept(at: int, is_quoted: bool) -> bool:
        return not is_nothing(text, at) and (kind != "session" or looks_random(text, at))

    return accept
