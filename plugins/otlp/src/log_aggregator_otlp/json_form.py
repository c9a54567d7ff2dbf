"""OTLP as JSON → log records: ids are hex, 64-bit numbers are texts or numbers, enums are numbers or names."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from log_aggregator import Record
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError
from log_aggregator_otlp.records import Origin, SentRecord, origin_of, record_of

_HEX = re.compile(r"[0-9a-fA-F]{1,64}")
_NAME = re.compile(r"SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([2-4]?)")
_FIRST = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_SNAKE = re.compile(r"[A-Z]")


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a request. Raises `Problem` 400 when it is not the JSON of one."""
    document = sent.json()
    if not isinstance(document, dict):
        raise Problem(400, "expected an object with resourceLogs")
    for block in _objects(document, "resourceLogs"):
        resource = _attributes(_get(_object(block, "resource"), "attributes"))
        for scope in _objects(block, "scopeLogs"):
            name = _get(_object(scope, "scope"), "name")
            origin = origin_of(resource, name if isinstance(name, str) else "")
            logs = _get(scope, "logRecords")
            for log in logs if isinstance(logs, list) else []:
                yield _log(sent, log, origin)


def _log(sent: SentBody, log: Any, origin: Origin) -> Record | BadLogError:
    if not isinstance(log, dict):
        return BadLogError("a log record that is no object")
    try:
        nanos = _integer(_get(log, "timeUnixNano")) or _integer(_get(log, "observedTimeUnixNano"))
        if not nanos:
            sent.all_timed = False
        return record_of(
            SentRecord(
                _value(_get(log, "body")),
                _severity(_get(log, "severityNumber")),
                _text(_get(log, "severityText")),
                nanos,
                _attributes(_get(log, "attributes")),
                _id(_get(log, "traceId")),
                _id(_get(log, "spanId")),
                _text(_get(log, "eventName")),
            ),
            origin,
        )
    except BadLogError as error:
        return error


def _get(holder: Mapping[str, Any], name: str) -> Any:
    """A member by its name in lowerCamelCase or, as the rules of protobuf's JSON allow, in snake_case."""
    if name in holder:
        return holder[name]
    return holder.get(_SNAKE.sub(lambda found: "_" + found[0].lower(), name))


def _object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = _get(holder, name)
    return value if isinstance(value, dict) else {}


def _objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = _get(holder, name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Problem(400, f"{name}: expected a list of objects")
    return value


def _attributes(pairs: Any) -> dict[str, Any]:
    if not isinstance(pairs, list):
        return {}
    return {str(pair["key"]): _value(pair.get("value")) for pair in pairs if isinstance(pair, dict) and "key" in pair}


def _value(sent: Any) -> Any:
    if not isinstance(sent, dict):
        return sent  # not by the specification; some writers send plain values
    for name, value in sent.items():
        convert = _VALUES.get(name.replace("_v", "V"))
        if convert is not None:
            return convert(value)
    return None


def _list(value: Any) -> list[Any]:
    values = value.get("values") if isinstance(value, dict) else None
    return [_value(one) for one in values] if isinstance(values, list) else []


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError, TypeError):
        return value


def _severity(value: Any) -> int:
    if isinstance(value, str):
        named = _NAME.fullmatch(value)
        if named:
            return _FIRST[named[1]] + int(named[2] or 1) - 1
    return _integer(value)


def _integer(value: Any) -> int:
    """A 64-bit number, 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        number = int(value[:20] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return 0
    return number if -(2**63) <= number < 2**64 else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(value: Any) -> str:
    return value.lower() if isinstance(value, str) and _HEX.fullmatch(value) else ""


_VALUES: dict[str, Callable[[Any], Any]] = {
    "stringValue": lambda value: value,
    "boolValue": lambda value: value,
    "doubleValue": lambda value: value,
    "intValue": lambda value: _integer(value) if isinstance(value, str) else value,
    "arrayValue": _list,
    "kvlistValue": lambda value: _attributes(value.get("values")) if isinstance(value, dict) else {},
    "bytesValue": _bytes,
}
