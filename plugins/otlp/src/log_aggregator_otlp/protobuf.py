"""OTLP as protobuf → log records, one at a time: the library decodes single log records, whose size is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # its stubs are a package of their own
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from log_aggregator import Record
from log_aggregator.http.decoding.protobuf import parts
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError, with_stack
from log_aggregator_otlp.records import (
    LEVELS,
    PLAIN_NANOS,
    Origin,
    SentRecord,
    origin_of,
    record_of,
    template_of,
)

LARGEST = 2 * 1024 * 1024
"""Bytes of one log record, resource or scope."""

_PLAIN = frozenset({"string_value", "int_value", "bool_value", "double_value"})


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a request. Raises `Problem` 400 when it is not the protobuf of one."""
    body = sent.body
    blocks = 0
    for _, begin, end in parts(body, 0, len(body), (1,)):
        resource: dict[str, Any] = {}
        for number, start, stop in parts(body, begin, end, (1, 2)):
            blocks += 1
            sent.check_count(blocks)
            if number == 1:
                resource = _attributes(_decoded(Resource, body, start, stop).attributes)
        for number, start, stop in parts(body, begin, end, (1, 2)):
            if number == 2:
                yield from _of_scope(sent, start, stop, resource)


def _of_scope(sent: SentBody, begin: int, end: int, resource: dict[str, Any]) -> Iterator[Record | BadLogError]:
    body = sent.body
    scope = ""
    for number, start, stop in parts(body, begin, end, (1, 2)):
        if number == 1:
            scope = _decoded(InstrumentationScope, body, start, stop).name
            break
    origin = origin_of(resource, scope)
    for number, start, stop in parts(body, begin, end, (1, 2)):
        if number == 2:
            yield _log(sent, start, stop, origin)


def _log(sent: SentBody, start: int, stop: int, origin: Origin) -> Record | BadLogError:
    if stop - start > LARGEST:
        return BadLogError(f"a log record of {stop - start} bytes; expected at most {LARGEST}")
    try:
        log = LogRecord.FromString(sent.body[start:stop])
    except (DecodeError, ValueError):
        return BadLogError("not the protobuf of a log record, or nested too deep")
    nanos = log.time_unix_nano or log.observed_time_unix_nano
    if not nanos:
        sent.all_timed = False
    attributes = _attributes(log.attributes)
    number, body = log.severity_number, log.body.string_value
    try:
        if body and nanos >= PLAIN_NANOS and 0 < number < len(LEVELS) and origin.source:
            body = with_stack(body, attributes)
            if log.trace_id or log.span_id:
                attributes |= {"trace_id": log.trace_id.hex(), "span_id": log.span_id.hex()}
            return template_of(origin, LEVELS[number], origin.source).record(body, nanos, attributes)
        trace_id, span_id = log.trace_id.hex(), log.span_id.hex()
        fields = (_value(log.body), number, log.severity_text, nanos, attributes, trace_id, span_id, log.event_name)
        return record_of(SentRecord(*fields), origin)
    except BadLogError as error:
        return error


def _decoded(kind: Any, body: bytes, start: int, stop: int) -> Any:
    if stop < 0:
        raise Problem(400, "the body is not the protobuf of ExportLogsServiceRequest")
    if stop - start > LARGEST:
        raise Problem(400, f"a resource or scope of {stop - start} bytes; expected at most {LARGEST}")
    try:
        return kind.FromString(body[start:stop])
    except (DecodeError, ValueError):
        raise Problem(400, "the body is not the protobuf of ExportLogsServiceRequest") from None


def _attributes(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        kind = value.WhichOneof("value")
        found[pair.key] = getattr(value, kind) if kind in _PLAIN else _value(value)
    return found


def _value(sent: AnyValue) -> Any:
    kind = sent.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(sent, kind)
    if kind == "array_value":
        return [_value(one) for one in value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.values}
    if kind == "bytes_value":
        return value.decode("utf-8", "replace")
    return value
