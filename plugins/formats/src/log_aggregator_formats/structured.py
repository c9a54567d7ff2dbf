"""Messages that are objects: JSON, logfmt, and a quoted sentence with `key=value` behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import msgspec

from log_aggregator.model.fields.construct import field_table
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.requests import request_in, without_request
from log_aggregator.model.fields.table import FieldTable
from log_aggregator_formats.access import take_request
from log_aggregator_formats.found import Found
from log_aggregator_formats.layouts import probe_of

LONGEST_OUTCOME = 400
"""Characters of an outcome that stay behind the sentence; a longer one is a field."""

MOST_PAIRS = 64

LONG = 2000
"""Characters of an object whose values may be beyond the limits of metadata."""

LONGEST_NUMBER = 16
"""Characters of a text that is no number any more."""

_decode = msgspec.json.Decoder().decode
_PAIR = re.compile(r'([A-Za-z_@][\w.@/:-]{0,80})=("[^"\\]*(?:\\.[^"\\]*)*"|\[[^\]\n]*\]|[^\s"=]*)(?:\s+|$)')
_PAIRS = re.compile(rf"(?>{_PAIR.pattern}){{1,{MOST_PAIRS}}}+\Z")
_LEADING = re.compile(r'(?:(?:ts|time|t|timestamp|level|lvl|severity|loglevel)=(?:"[^"]{1,40}"|[^\s"]{1,40})\s+){1,3}')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.){1,4000})"(?:\s+|$)')
_NOT_PLAIN = frozenset('"0123456789')
"""What a value begins with that is not taken as it stands."""

_ESCAPE = re.compile(r"\\(.)")
_MESSAGES = frozenset({"msg", "message", "event"})
_SIGNS = frozenset({"level", "lvl", "severity", "ts", "time", "timestamp", "at"})
_NOTHING = frozenset({"", "nil", "null", "none", "None", "<nil>"})
_CONTAINERS = ("statusCode", "status", "code", "message")


class Structured:
    """Lifts the fields of objects by the field table; `outcomes` are the fields that stay behind the sentence."""

    def __init__(self, outcomes: tuple[str, ...]) -> None:
        self._outcomes = outcomes
        self._has_no_outcome = frozenset(outcomes).isdisjoint
        self._table: FieldTable | None = None
        self._lifter = Lifter(FieldTable())

    def json(self, found: Found) -> bool:
        """A JSON object. One without a message stays as it is; its level and time count all the same."""
        try:
            log = _decode(found.text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False
        if type(log) is not dict or not log:
            return False
        found.is_foreign = "\\" in found.text or len(found.text) > LONG
        return self._take(found, log)

    def logfmt(self, found: Found) -> bool:
        """`level=info msg="request handled" status=200`; also `level=error disk gone`."""
        pairs = _pairs(found.text)
        found.is_foreign = "\\" in found.text or len(found.text) > LONG
        if pairs is not None and (
            not _MESSAGES.isdisjoint(pairs)
            or (len(pairs) > 1 and (not _SIGNS.isdisjoint(pairs) or request_in(pairs) is not None))
        ):
            return self._take(found, pairs)
        leading = _LEADING.match(found.text)
        if leading is None or leading.end() == len(found.text):
            return False
        log = _pairs(leading[0])
        if log is None:
            return False
        return self._take(found, {**log, "message": found.text[leading.end() :]})

    def layout(self, message: str) -> PairsLayout | None:
        """Where logfmt lines of this shape hold their values; `None` where only their values tell what they are."""
        if "\\" in message or (probe := probe_of(message)) is None:
            return None
        pairs = _pairs(message)
        if pairs is None or (_MESSAGES.isdisjoint(pairs) and (len(pairs) < 2 or _SIGNS.isdisjoint(pairs))):
            return None
        spans = [(match[1], match.span(2)) for match in _PAIR.finditer(probe)]
        if {key for key, _ in spans} != pairs.keys():  # a key with a digit is another one in other lines
            return None
        return PairsLayout(self._take, message, spans)

    def quoted(self, found: Found) -> bool:
        """`"Unable to attach volumes" err="timed out"`: the sentence of klog."""
        match = _QUOTED.match(found.text)
        if match is None:
            return False
        pairs = _pairs(found.text[match.end() :])
        if pairs is None:
            return False
        found.is_foreign = "\\" in found.text
        found.text = self._with_outcomes(_unescaped(match[1]), pairs)
        _keep(found, pairs)
        return True

    def context(self, found: Found) -> bool:
        """A sentence with a JSON object at its end, as Monolog writes its context."""
        start = found.text.find(" {")
        if start <= 0:
            return False
        try:
            log = _decode(found.text[start + 1 :])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False
        found.text = self._with_outcomes(found.text[:start], log)
        _keep(found, log)
        return True

    def _take(self, found: Found, log: dict[str, Any]) -> bool:
        table = field_table()
        if table is not self._table:
            self._table, self._lifter = table, Lifter(table)
        message, level, source, timestamp, rest = self._lifter.lift(log, found.now)
        if level:
            found.level = level
        if source and not found.source:
            found.source = source
        if timestamp and not found.timestamp:
            found.timestamp = timestamp
        request = request_in(rest)
        if request is not None and (message is None or "exception" not in message) and not _has_outcome(rest):
            if message is None or message in ("handled request", "access", "request", "router"):
                take_request(found, *request)
                found.level = level if level not in (None, "INFO") else found.level
                _keep(found, without_request(rest, request))
                return True
            found.level = found.level or request.level
        if message is None:
            return False
        if "\n" not in message:
            found.text = self._with_outcomes(message, rest)
        else:
            head, newline, stack = message.partition("\n")
            found.text = self._with_outcomes(head, rest) + newline + stack
        _keep(found, rest)
        return True

    def _with_outcomes(self, sentence: str, rest: dict[str, Any]) -> str:
        """The sentence with the fields that tell an outcome behind it, which leave the rest."""
        if self._has_no_outcome(rest):
            return sentence
        parts = [sentence]
        for name in self._outcomes:
            if name not in rest:
                continue
            value = rest[name]
            if type(value) is dict:
                parts += _outcomes_of(name, value)
                if not value:
                    del rest[name]
            elif (text := _outcome(value)) is not None:
                if text not in sentence:
                    parts.append(f"{name}={text}")
                del rest[name]
        return " ".join(parts)


class PairsLayout:
    """The places of the values in logfmt lines of one shape."""

    __slots__ = ("_is_foreign", "_keys", "_numbers", "_places", "_take")

    def __init__(
        self, take: Callable[[Found, dict[str, Any]], bool], line: str, spans: list[tuple[str, tuple[int, int]]]
    ) -> None:
        self._take = take
        self._keys = [key for key, _ in spans]
        self._places = [
            slice(start + 1, stop - 1) if line[start : start + 1] == '"' else slice(start, stop)
            for _, (start, stop) in spans
        ]
        self._numbers = [
            key for key, (start, stop) in spans if line[start:stop].isdecimal() and stop - start < LONGEST_NUMBER
        ]
        self._is_foreign = len(line) > LONG

    def read(self, message: str, now: int, zone: tzinfo) -> Found | None:
        """The parts of a line of the shape."""
        pairs: dict[str, Any] = dict(zip(self._keys, [message[place] for place in self._places], strict=True))
        for key in self._numbers:
            pairs[key] = _value(pairs[key])
        found = Found(message, now, zone, is_foreign=self._is_foreign)
        if not self._take(found, pairs) or not found.text or found.text.isspace():
            return None
        return found


def _has_outcome(rest: dict[str, Any]) -> bool:
    return any(type(rest.get(name)) is str and rest[name] not in _NOTHING for name in ("error", "err", "cause"))


def _outcomes_of(name: str, value: dict[str, Any]) -> list[str]:
    """The scalar outcomes inside of an object: `res.statusCode=503`."""
    parts = []
    for key in _CONTAINERS:
        if key in value and (text := _outcome(value[key])) is not None:
            parts.append(f"{name}.{key}={text}")
            del value[key]
    return parts


def _outcome(value: Any) -> str | None:
    if type(value) is str:
        short = value not in _NOTHING and len(value) <= LONGEST_OUTCOME and "\n" not in value
        return value if short else None
    return str(value) if type(value) in (int, float) else None


def _keep(found: Found, rest: dict[str, Any]) -> None:
    """Take the rest, which is used up, as fields."""
    kinds = set(map(type, rest.values()))
    found.is_foreign |= len(rest) > 16 or dict in kinds or list in kinds
    if not found.fields and type(None) not in kinds and "" not in rest.values():
        found.fields = rest
        return
    for key, value in rest.items():
        if value is not None and value != "":
            found.fields.setdefault(key, value)


def _pairs(text: str) -> dict[str, Any] | None:
    """The `key=value` pairs of a text that consists of nothing else; `None` when it does not."""
    if _PAIRS.match(text) is None:
        return None
    return {key: _value(value) if value[:1] in _NOT_PLAIN else value for key, value in _PAIR.findall(text)}


def _value(text: str) -> Any:
    if text[:1] == '"':
        return _unescaped(text[1:-1])
    if text.isdecimal() and len(text) < LONGEST_NUMBER and (text == "0" or text[0] != "0"):
        return int(text)
    return text


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), text)
