"""The part of LogQL that counts can answer: selectors over source, level and pattern, counted over time, summed."""

from __future__ import annotations

import re
from typing import NamedTuple

import re2  # type: ignore[import-untyped]  # comes without types. Loki's expressions are RE2's; none takes long

SOURCE, LEVEL, PATTERN = "service_name", "level", "pattern"

ALIASES = {
    "service_name": SOURCE, "source": SOURCE, "service": SOURCE, "app": SOURCE, "job": SOURCE,
    "level": LEVEL, "detected_level": LEVEL, "severity": LEVEL, "pattern": PATTERN,
}  # fmt: skip

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<duration>(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+)'
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>\|=|\|~|\|>|!>|!=|!~|=~|=|[{}()\[\],|+]|\d+))",
    re.DOTALL,
)
_LONGEST = 10_000
_DEEPEST = 5


class QueryError(ValueError):
    """A query that is not LogQL, or that counts cannot answer; the text says what can be asked."""


class Matcher(NamedTuple):
    """One condition on a label: `sign` is `=`, `!=`, `=~` or `!~`."""

    label: str
    sign: str
    value: str

    def takes(self, value: str) -> bool:
        """Whether a value meets it. Levels are compared in any case."""
        wanted = self.value
        if self.label == LEVEL:
            value, wanted = value.lower(), wanted.lower()
        if self.sign in ("=", "!="):
            return (value == wanted) == (self.sign == "=")
        return (re2.fullmatch(f"(?s:{wanted})", value) is not None) == (self.sign == "=~")


class Query(NamedTuple):
    """What is counted, over which range (seconds, 0: log lines are asked for), per second or not, summed by what."""

    matchers: tuple[Matcher, ...]
    seconds: float = 0.0
    is_rate: bool = False
    by: tuple[tuple[str, str], ...] | None = None
    """Pairs of the label as it was written, and what it is here; `None`: one series for every source and level."""

    def takes(self, label: str, value: str) -> bool:
        """Whether all conditions on a label are met."""
        return all(matcher.takes(value) for matcher in self.matchers if matcher.label == label)

    def exactly(self, label: str) -> str | None:
        """The one value that a label must have."""
        return next((m.value for m in self.matchers if m.label == label and m.sign == "="), None)


def duration(text: str) -> float:
    """`1h30m` → seconds. Raises `QueryError`."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise QueryError(f"{text[:40]!r}: expected a duration such as 5m")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def parse(text: str) -> Query:
    """A query. Raises `QueryError`."""
    if len(text) > _LONGEST:
        raise QueryError(f"the query has {len(text)} characters; expected at most {_LONGEST}")
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise QueryError(f"the query is not understood at {text[at : at + 20]!r}")
            self._tokens.append(token[0].strip())
            at = token.end()
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        """What stands here, and in the brackets of it. Raises `QueryError`."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"nested more than {_DEEPEST} times")
        if self._next() == "{":
            return Query(self._selector())
        function = self._take()
        if function == "sum":
            by = self._by()
            self._expect("(")
            inner = self.query()
            self._expect(")")
            return inner._replace(by=by if by is not None else self._by() or ())
        if function not in ("count_over_time", "rate"):
            raise QueryError(
                f"{function[:40]!r} cannot be answered: messages are counted, not kept; "
                "expected count_over_time or rate, and sum by (service_name, level, pattern) around it"
            )
        self._expect("(")
        matchers = self._selector()
        self._expect("[")
        seconds = duration(self._take())
        self._expect("]")
        self._expect(")")
        return Query(matchers, seconds, function == "rate")

    def end(self) -> None:
        """Raises `QueryError` when something follows."""
        if self._at < len(self._tokens):
            raise QueryError(f"the query is not understood at {self._next()[:40]!r}")

    def _by(self) -> tuple[tuple[str, str], ...] | None:
        if self._next() not in ("by", "without"):
            return None
        if self._take() == "without":
            raise QueryError("without: expected by (service_name, level, pattern)")
        self._expect("(")
        names: list[tuple[str, str]] = []
        while self._next() != ")":
            name = self._take()
            if name in ALIASES:
                names.append((name, ALIASES[name]))
            if self._next() == ",":
                self._take()
        self._expect(")")
        return tuple(names)

    def _selector(self) -> tuple[Matcher, ...]:
        matchers: list[Matcher] = []
        self._expect("{")
        while self._next() != "}":
            matchers += self._matcher()
            if self._next() == ",":
                self._take()
        self._expect("}")
        while self._next() in ("|", "|=", "|~", "!=", "!~", "|>", "!>"):
            matchers += self._stage()
        return tuple(matchers)

    def _matcher(self) -> list[Matcher]:
        label, sign, value = self._take(), self._take(), self._string()
        if sign not in ("=", "!=", "=~", "!~"):
            raise QueryError(f"{label[:40]}: expected =, !=, =~ or !~")
        matcher = Matcher(ALIASES.get(label, ""), sign, value)
        if sign in ("=~", "!~"):
            try:
                re2.compile(f"(?s:{value})")
            except re2.error:
                raise QueryError(f"{label[:40]}: not a regular expression") from None
        if matcher.label:
            return [matcher]
        if matcher.takes(""):  # no log here has this label
            return []
        raise QueryError(f"label {label[:40]!r}: not known here; expected service_name, level or pattern")

    def _stage(self) -> list[Matcher]:
        sign = self._take()
        if sign != "|":
            if self._string() == "":
                return []
            raise QueryError("line filters cannot be answered: messages are counted, not kept; select a pattern")
        word = self._take()
        if word in ("json", "logfmt", "unpack"):
            return []
        if word in ("drop", "keep"):
            while self._next() not in ("|", "[", ")", "", "|=", "|~", "!=", "!~"):
                self._take()
            return []
        self._at -= 1
        return self._matcher()

    def _string(self) -> str:
        token = self._take()
        if token[:1] not in '"`':
            raise QueryError(f"{token[:40]!r}: expected a text in quotes")
        inner = token[1:-1]
        return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if token[0] == '"' else inner

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        if self._at >= len(self._tokens):
            raise QueryError("the query ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, token: str) -> None:
        found = self._take()
        if found != token:
            raise QueryError(f"{found[:40]!r}: expected {token!r}")
