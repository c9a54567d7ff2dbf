"""Values that stand beside a name: pairs, name and value in objects, elements, form fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from log_aggregator_redact.assigned import MASKS, Found, secret
from log_aggregator_redact.keywords import NEAR, lowered
from log_aggregator_redact.names import kind_of
from log_aggregator_redact.values import is_ordinary, value_at
from log_aggregator_redact.words import either

_Q = r"""\\{0,8}["']"""
_NAME = r"(?P<name>[^\W\d][\w.$:\[\]-]{1,80}+)"
_NAMED = rf"(?<![a-z])(?:{either('name_keys')})(?:{_Q})?\s{{0,3}}[:=]>?\s{{0,3}}(?:{_Q})?"
_VALUED = rf"(?<![a-z])(?:{either('value_keys')})(?:{_Q})?\s{{0,3}}[:=]>?\s{{0,3}}"

_PAIR = re.compile(
    rf"[\[(]\s{{0,3}}(?:{_Q}){_NAME}(?:{_Q})\s{{0,3}}(?:,|=>)\s{{0,3}}(?={_Q}[^\n]{{1,500}}?{_Q}\s{{0,3}}[\])])"
)
_SERIALIZED = re.compile(
    rf"""s:\d{{1,4}}:\\?"{_NAME}\\?";s:\d{{1,6}}:(?=\\?")|"""
    rf"""\{{\s?(?:<<")?{_NAME.replace("name>", "key>")}(?:">>)?\s?,\s?(?:<<)?(?=")"""
)
"""`s:8:"password";s:1:"x";` of PHP, `{password,"x"}` of Erlang."""
_NAME_FIRST = re.compile(rf"{_NAMED}{_NAME}(?:{_Q})?[^{{}}<>\n]{{0,60}}?(?:\n\s{{0,60}})?{_VALUED}(?=\S)")
_VALUE_FIRST = re.compile(
    rf"{_VALUED}(?=(?:{_Q})?[^\s{{}}]{{1,300}}?(?:{_Q})?\s{{0,3}}[,;\s]\s{{0,3}}(?:{_Q})?{_NAMED}{_NAME})"
)
_ELEMENT = re.compile(
    r"<(?P<tag>[\w:.-]{1,80}+)(?P<attributes>\s[^<>]{0,300}+)?>\s{0,60}+(?:<!\[cdata\[)?(?=[^<\s])(?P<text>[^<]{1,4000}?)\s{0,60}(?:\]\]>)?\s{0,60}(?=</|\Z)"
)
_ATTRIBUTE = re.compile(r"""(?:name|key|id)\s?=\s?\\{0,8}["'](?P<name>[\w.$:-]{1,80})""")
_INNER = re.compile(
    r"<(?:key|name)>\s{0,3}(?P<name>[\w.:-]{1,80}+)\s{0,3}</(?:key|name)>\s{0,60}(?:<value>\s{0,60})?<\w{1,20}>(?P<text>[^<]{1,4000}+)</"
)
_FORM = re.compile(
    rf"name=(?:{_Q}){_NAME}(?:{_Q})(?:[^\n]{{0,200}}\n(?:[a-z-]{{1,40}}:[^\n]{{0,200}}\n){{0,4}}\n(?P<text>[^\n]{{1,2000}})"
    r"|[^\n\\]{0,200}(?:\\r)?\\n(?:[a-z-]{1,40}:[^\n\\]{0,200}(?:\\r)?\\n){0,4}(?:\\r)?\\n(?P<escaped>[^\n\\]{1,2000}))"
)
_DIGIT = re.compile(r"\d")
_STOPS = frozenset(".,;:!?)'\"")
"""What ends a sentence behind a placeholder: `identify <password>.`"""

NEAR_PAIR = (
    rf"""{NEAR}(?:\]?\\*["']\s*(?:,|=>)\s*\\*["']|\\?";s:0+:\\?")|"""
    rf"""\{{\s?(?:<<")?[a-z0-9_.]*{NEAR}(?:">>)?\s?,\s?(?:<<)?\""""
)
NEAR_NAMED = rf"""(?:{either("name_keys")})\\*["']?\s*(?:=|:)>?\s*\\*["']?[a-z0-9_.$:\[-]*(?:{NEAR})"""
NEAR_ELEMENT = rf"<[a-z]*[^<>]*(?:{NEAR})[^<>]*>|{NEAR}</(?:key|name)>|name=\\*[\"'][^\"'\n]*{NEAR}[^\n]*(?:\n|\\n)"


def pairs(text: str) -> Iterator[Found]:
    """`("password", "x")`, `{"name": "DB_PASSWORD", "value": "x"}` in either order, `- name: …` of YAML."""
    low = lowered(text)
    for expression in (_PAIR, _NAME_FIRST):
        for match in expression.finditer(low):
            yield from _beside(text, _name(text, match), match.end(), expression is _PAIR)
    for match in _SERIALIZED.finditer(low):
        group = "name" if match["name"] else "key"
        yield from _beside(text, text[match.start(group) : match.end(group)], match.end(), False)
    for match in _VALUE_FIRST.finditer(low):
        yield from _beside(text, _name(text, match), match.end(), False)


def elements(text: str) -> Iterator[Found]:
    """`<password>x</password>`, `<entry key="password">x</entry>`, `<name>password</name><value>x</value>`, forms."""
    low = lowered(text)
    for match in _ELEMENT.finditer(low):
        names = [text[match.start("tag") : match.end("tag")].rpartition(":")[2]]
        attributes = match["attributes"]
        if attributes:
            start = match.start("attributes")
            names += [
                text[start + m.start("name") : start + m.end("name")]
                for m in islice(_ATTRIBUTE.finditer(attributes), 5)
            ]
        yield from _inside(text, names, match)
    for expression in (_INNER, _FORM):
        for match in expression.finditer(low):
            yield from _inside(text, [_name(text, match)], match)


def _name(text: str, match: re.Match[str]) -> str:
    return text[match.start("name") : match.end("name")]


def _beside(text: str, name: str, at: int, is_pair: bool) -> Iterator[Found]:
    kind = kind_of(name)
    if kind is None or kind == "connection":
        return
    value = value_at(text, at, secret(text, kind, is_tight=True, name=name.lower()))
    if value is None:
        return
    found = text[value.start : value.stop]
    if is_pair and kind_of(found) and (_DIGIT.search(name) or not _DIGIT.search(found)):  # names of columns, or values
        return
    yield value.start, value.stop, MASKS[kind]


def _is_text_behind(text: str, start: int, stop: int) -> bool:
    """Whether the text stands behind a placeholder and in no element: `--user <user:password> User and password`."""
    return not text.startswith("</", stop) and " " in text[start:stop] and "</" not in text[stop : stop + 60]


def _inside(text: str, names: list[str], match: re.Match[str]) -> Iterator[Found]:
    for name in names:
        kind = kind_of(name)
        if kind is not None and kind != "connection" and name != "code":  # `<code>` is that of documents
            start, stop = match.span("escaped" if match.lastgroup == "escaped" else "text")
            if text[start] in "])" or text[start:stop] in _STOPS or _is_text_behind(text, start, stop):
                return
            if not is_ordinary(text, start, kind, is_quoted=True, is_tight=True, name=name.lower()):
                yield start, stop, MASKS[kind]
            return
