"""One value of a JSON object as a level, source or time: what each family of loggers means by it, and its traps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from log_aggregator.model.fields import levels, sources
from log_aggregator.model.fields.table import STREAMS
from log_aggregator.model.fields.text import clean, is_dirty
from log_aggregator.model.fields.timestamps import AbsurdTimeError, parse

KNOWN_LEVELS = frozenset({*levels.SYNONYMS, *levels.SYNONYMS.values(), "DEFAULT"})

_PYTHON_SIBLINGS = frozenset({"levelno", "lineno", "funcname", "funcName", "pathname", "threadName"})
_PYTHON = {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "CRITICAL"}
_OTEL = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_GOOGLE = {100: "DEBUG", 200: "INFO", 300: "NOTICE", 400: "WARN", 500: "ERROR", 600: "CRITICAL", 700: "FATAL", 800: "FATAL"}  # fmt: skip # noqa: E501
_MONGO = {"F": "FATAL", "E": "ERROR", "W": "WARN", "I": "INFO", "D": "DEBUG"}
_OFFSET = re.compile(r"([A-Za-z]{4,5})[+-]\d{1,3}")
_TARGET = re.compile(r"\w+(?:::\w+)*")
_DURATION = re.compile(r"\d+(?:\.\d+)?[mun]?s")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?")

FREE_LEVELS = frozenset({"level", "@l"})
"""Names under which any word is a level; under others only a known one is."""

DURATION_NAMES = frozenset({"time", "date", "t", "created", "event_time", "eventtime"})
"""Names that hold other things than times, too: an unbelievable number there is left where it is."""


def level_from(name: str, value: Any, log: Mapping[str, Any]) -> str | None:  # noqa: PLR0911  one for each family
    """A level under this lower-case name of an object; `None` where the value is none."""
    if type(value) is str:
        return _level_word(name, value, log)
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > levels.LARGEST or name == "s":
        return None
    if name in ("severity_number", "severitynumber"):
        return _OTEL[(value - 1) // 4] if 1 <= value <= 24 else None
    if name == "severity" and value in _GOOGLE:
        return _GOOGLE[value]
    if name == "priority" and not 0 <= value <= 7:
        return None
    if value in _PYTHON and not _PYTHON_SIBLINGS.isdisjoint(log):
        return _PYTHON[value]
    return levels.fold(value)[0]


def _level_word(name: str, value: str, log: Mapping[str, Any]) -> str | None:  # noqa: PLR0911  one for each family
    if name == "s":  # MongoDB: I, W, E, F, D1 … D5
        return _MONGO.get(value[:1]) if len(value) <= 2 and "t" in log and "ctx" in log else None
    if name == "priority":
        return levels.SYSLOG[int(value)] if len(value) == 1 and value in "01234567" else None
    word = (clean(value) if is_dirty(value) else value).strip().upper()
    if word == "DEFAULT":  # Google's word for none
        return None
    if word in KNOWN_LEVELS:
        return levels.SYNONYMS.get(word, word)
    if match := _OFFSET.fullmatch(word):  # slog: INFO+2
        word = match[1]
        return levels.SYNONYMS.get(word, word) if word in KNOWN_LEVELS else None
    if word.isdecimal() and len(word) < 4:
        return level_from(name, int(word), log)
    level, is_explicit = levels.fold(value)
    return level if is_explicit and name in FREE_LEVELS else None


def source_from(name: str, value: Any, log: Mapping[str, Any]) -> str | None:
    """A source under this lower-case name of an object; `None` where the value is none."""
    if type(value) is not str:
        if name == "source" and type(value) in (int, float):
            return sources.name(str(value)) if abs(value) < levels.LARGEST else None
        return None
    if value in STREAMS or _DURATION.fullmatch(value):  # Heroku's router: service=2ms
        return None
    if name == "target" and (("fields" not in log and "::" not in value) or not _TARGET.fullmatch(value)):
        return None  # a field of the event; `tracing` names the module so
    if name == "category" and ("loglevel" not in {key.lower() for key in log}):
        return None  # .NET's console logger names the logger so; elsewhere it is a field of the event
    found = sources.name(value.removeprefix("/") if name.startswith("container") else value)
    return None if found == sources.DEFAULT and value != sources.DEFAULT else found


def time_from(name: str, value: Any, log: Mapping[str, Any], now: int) -> int | None:
    """A time under this lower-case name, in microseconds; `None` where the value is none.

    Raises `AbsurdTimeError` for one that can be read but not believed.
    """
    kind = type(value)
    if kind is dict:
        return _google_time(value, now)
    if kind is not str and kind is not int and kind is not float:
        return None
    if name == "timestampseconds" and kind is int and type(log.get("timestampNanos")) is int:
        value = value + log["timestampNanos"] / 1e9
    try:
        return parse(value, now)
    except AbsurdTimeError:
        if name in DURATION_NAMES and kind is not str:
            return None
        raise
    except (ValueError, OverflowError):
        day = log.get("date")
        if name == "time" and is_clock(value) and type(day) is str:
            return time_from("", f"{day} {value}", {}, now)
        return None


def is_clock(value: Any) -> bool:
    """Whether a value is a time of day, which needs the `date` beside it."""
    return type(value) is str and _CLOCK.fullmatch(value) is not None


def _google_time(value: Mapping[str, Any], now: int) -> int | None:
    seconds, nanos = value.get("seconds"), value.get("nanos", 0)
    return parse(seconds, now) + nanos // 1000 if type(seconds) is int and type(nanos) is int else None
