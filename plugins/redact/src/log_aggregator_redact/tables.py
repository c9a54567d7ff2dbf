"""Values in tables of text: files of CSV, `COPY … FROM stdin`, tables that clients of databases draw."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import islice

from log_aggregator_redact.assigned import MASKS, Found, secret
from log_aggregator_redact.keywords import NEAR, lowered
from log_aggregator_redact.names import Kind, kind_of
from log_aggregator_redact.values import value_at

_HEAD = re.compile(
    r"^(?:copy\s[^()\n]{1,120}\((?P<columns>[^()\n]{1,2000}+)\)\s{1,3}from\sstdin[^\n]{0,60}|"
    r"(?P<head>\|?[\"'\w .$-]{1,60}+(?:[,;\t|][\"'\w .$-]{0,60}+){1,80}+))\r?\n",
    re.MULTILINE,
)
_RULE = re.compile(r"[+=|: \t-]+")
_QUOTES = " \t\"'`"

NEAR_TABLE = (
    rf"""(?:[,;\t|]|^|\n)["' ]*[a-z0-9_.]*{NEAR}["' ]*[,;\t|)][^\n]*\n|[,;\t|]["' ]*[a-z0-9_.]*{NEAR}["' ]*\r?\n"""
)


def tables(text: str) -> Iterator[Found]:
    """The fields of rows below a line of names of columns, where such a name denotes a secret."""
    low = lowered(text)
    at = 0
    while (match := _HEAD.search(low, at)) is not None:
        at = match.end()
        start, stop = match.span("columns" if match["columns"] else "head")
        names = text[start:stop]
        separator = "\t" if match["columns"] else next(one for one in "\t|;," if one in names)
        kinds = [kind_of(name.strip(_QUOTES)) for name in names.split("," if match["columns"] else separator)]
        if any(kind in ("password", "secret", "cookie") for kind in kinds):
            at = yield from _rows(text, at, separator, kinds)


def _rows(text: str, at: int, separator: str, kinds: Sequence[Kind | None]) -> Generator[Found, None, int]:
    """The secrets of the rows from `at` on; returns where the first line begins that is no row."""
    field = re.compile(rf'\s*"(?:[^"\n]|"")*"[ \t]*(?=[{separator}\r\n]|\Z)|[^{separator}\n]*')
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if _RULE.fullmatch(text, at, end) is None:
            fields = list(islice(_fields(text, at, end, field), len(kinds) + 1))
            if len(fields) != len(kinds):
                return at
            for kind, (start, stop) in zip(kinds, fields, strict=True):
                if kind in ("password", "secret", "cookie"):
                    yield from _field(text, start, stop, kind)
        at = end + 1
    return at


def _fields(text: str, at: int, end: int, field: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    while (found := field.match(text, at, end)) is not None:
        yield found.span()
        at = found.end() + 1
        if at > end:
            return


def _field(text: str, start: int, stop: int, kind: Kind) -> Iterator[Found]:
    start += len(text[start:stop]) - len(text[start:stop].lstrip())
    value = value_at(text, start, secret(text, kind, is_tight=True)) if start < stop else None
    if value is not None and value.start < stop:
        end = value.stop if value.is_quoted else start + len(text[start:stop].rstrip())
        yield value.start, min(end, stop), MASKS[kind]
