"""OTLP over HTTP against a real service: mappings, answers, repetitions and hostile bodies."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from tests.support.sender import Sender, sending

SECONDS = 1_790_000_000
ISO = "2026-09-21T14:13:20.000000Z"
LOGS = "/v1/logs"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.otlp]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        yield sender


def exported(*logs: dict[str, Any], resource: dict[str, Any] | None = None, scope: str = "") -> bytes:
    request = ExportLogsServiceRequest()
    block = request.resource_logs.add()
    for key, value in ({"service.name": "shop"} if resource is None else resource).items():
        block.resource.attributes.add(key=key).value.string_value = value
    scoped = block.scope_logs.add()
    scoped.scope.name = scope
    for log in logs:
        record = scoped.log_records.add()
        fields = {"time_unix_nano": SECONDS * 10**9, "body": "m", **log}
        body = fields.pop("body")
        attributes = fields.pop("attributes", {})
        for name, value in fields.items():
            setattr(record, name, value)
        if body is not None:
            put(record.body, body)
        for key, value in attributes.items():
            put(record.attributes.add(key=key).value, value)
    return request.SerializeToString()


def put(target: Any, value: Any) -> None:
    if isinstance(value, dict):
        target.kvlist_value.SetInParent()
        for key, one in value.items():
            put(target.kvlist_value.values.add(key=key).value, one)
    elif isinstance(value, list):
        target.array_value.SetInParent()
        for one in value:
            put(target.array_value.values.add(), one)
    else:
        names = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
        setattr(target, names[type(value)], value)


async def one(sender: Sender, log: dict[str, Any], **more: Any) -> dict[str, Any]:
    return (await sender.records(LOGS, exported(log, **more)))[0]


async def test_a_full_record(sender: Sender) -> None:
    log = {
        "time_unix_nano": SECONDS * 10**9 + 123_456_789,
        "severity_number": 17,
        "severity_text": "ignored",
        "body": "could not connect",
        "trace_id": bytes(range(16)),
        "span_id": bytes(range(8)),
        "attributes": {"retries": 3, "ok": True, "share": 0.5, "nested": {"a": [1, "b"]}, "raw": b"\xff"},
    }
    resource = {"service.name": "shop", "k8s.pod.name": "p1", "telemetry.sdk.name": "x", "service.instance.id": "i"}
    assert await one(sender, log, resource=resource, scope="lib") == {
        "message": "could not connect",
        "level": "ERROR",
        "source": "shop",
        "timestamp": ISO.replace("000000", "123456"),
        "metadata": {
            "k8s.pod.name": "p1",
            "scope": "lib",
            "retries": 3,
            "ok": True,
            "share": 0.5,
            "nested": {"a": [1, "b"]},
            "raw": "\ufffd",
            "trace_id": bytes(range(16)).hex(),
            "span_id": bytes(range(8)).hex(),
        },
    }


@pytest.mark.parametrize(
    ("log", "level"),
    [
        *(({"severity_number": n}, name) for n, name in ((1, "TRACE"), (8, "DEBUG"), (9, "INFO"), (16, "WARN"))),
        ({"severity_number": 24}, "FATAL"),
        ({"severity_text": "warning"}, "WARN"),
        ({"attributes": {"level": "err"}}, "ERROR"),
        ({"severity_number": 9, "attributes": {"level": "err"}}, "INFO"),
        ({"body": {"msg": "m", "level": "fatal"}}, "FATAL"),
        ({"body": {"msg": "m", "level": "fatal"}, "severity_number": 5}, "DEBUG"),
        ({}, "INFO"),
    ],
)
async def test_levels(sender: Sender, log: dict[str, Any], level: str) -> None:
    assert (await one(sender, log))["level"] == level


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ({"body": 7}, "7"),
        ({"body": True}, "true"),
        ({"body": ["a", 1]}, '["a",1]'),
        ({"body": {"msg": "from a map"}}, "from a map"),
        ({"body": {"a": 1}}, '{"a":1}'),
        ({"body": None, "event_name": "user.login"}, "user.login"),
        ({"body": None, "attributes": {"message": "among the attributes"}}, "among the attributes"),
        ({"attributes": {"exception.stacktrace": "E: x\n at f"}}, "m\nE: x\n at f"),
        ({"attributes": {"err.stack": "E: x\n at f", "err.type": "E"}}, "m\nE: x\n at f"),
        ({"attributes": {"err": {"stack": "E: x\n at f", "type": "E"}}}, "m\nE: x\n at f"),
        ({"body": "m E: x", "attributes": {"exception.stacktrace": "E: x"}}, "m E: x"),
        ({"body": b"bytes"}, "bytes"),
    ],
)
async def test_messages(sender: Sender, log: dict[str, Any], message: str) -> None:
    assert (await one(sender, log))["message"] == message


@pytest.mark.parametrize(
    ("resource", "attributes", "source"),
    [
        ({"service.name": "unknown_service:node", "host.name": "pi"}, {}, "pi"),
        ({"service.name": "unknown_service:node"}, {"service": "mine"}, "mine"),
        ({"service.name": "unknown_service:node"}, {}, "unknown_service:node"),
        ({"k8s.container.name": "api", "host.name": "pi"}, {}, "api"),
        ({}, {}, "unknown"),
    ],
)
async def test_sources(sender: Sender, resource: dict[str, Any], attributes: dict[str, Any], source: str) -> None:
    assert (await one(sender, {"attributes": attributes}, resource=resource))["source"] == source


async def test_times(sender: Sender) -> None:
    observed = await one(sender, {"time_unix_nano": 0, "observed_time_unix_nano": SECONDS * 10**9})
    assert observed["timestamp"] == ISO
    early = await one(sender, {"time_unix_nano": 10**15})
    assert early["metadata"] == {"timestamp_sent": 10**6}
    assert early["timestamp"] > ISO


async def test_answers_come_in_the_form_of_the_request(sender: Sender) -> None:
    good = await sender.post(LOGS, exported({}), Content_Type="application/x-protobuf")
    assert (good.status, good.body, good.headers["Content-Type"]) == (200, b"", "application/x-protobuf")
    partial = await sender.post(LOGS, exported({}, {"body": None}), Content_Type="application/x-protobuf")
    told = ExportLogsServiceResponse.FromString(partial.body).partial_success
    assert (partial.status, told.rejected_log_records, told.error_message) == (
        200,
        1,
        "log 1: message: missing, expected a text",
    )
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "m"}}, {}]}]}]}
    answer = await sender.post(LOGS, json.dumps(document), Content_Type="application/json")
    assert (answer.status, answer.json["partialSuccess"]["rejectedLogRecords"]) == (200, "1")
    empty = await sender.post(LOGS, "{}", Content_Type="application/json")
    assert (empty.status, empty.json, empty.headers["Content-Type"].split(";")[0]) == (200, {}, "application/json")
    assert (await sender.post(LOGS, b"", Content_Type="application/x-protobuf")).status == 200
    broken = await sender.post(LOGS, b"[1", Content_Type="application/json")
    assert (broken.status, broken.json["code"]) == (400, 3)
    assert (await sender.post(LOGS, exported({})[:-1], Content_Type="application/x-protobuf")).body[
        :3
    ] == b"\x08\x03\x12"


async def test_json_as_its_writers_differ(sender: Sender) -> None:
    logs = [
        {
            "timeUnixNano": f"{SECONDS}000000000",
            "severityNumber": "SEVERITY_NUMBER_WARN3",
            "body": {"stringValue": "m"},
            "traceId": "AB" * 16,
            "spanId": "not hex",
            "futureField": {},
            "attributes": [
                {"key": "n", "value": {"intValue": "12"}},
                {"key": "k", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 1.5}}]}}},
                {"key": "l", "value": {"arrayValue": {"values": [{"boolValue": False}]}}},
                {"key": "b", "value": {"bytesValue": "aGk="}},
            ],
        },
        {"time_unix_nano": SECONDS * 10**9, "severity_number": 21, "body": {"int_value": 7}},
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "js"}}]}
    document = {"resource_logs": [{"resource": resource, "scope_logs": [{"log_records": logs}]}]}
    body = gzip.compress(json.dumps(document).encode())
    first, second = await sender.records(LOGS, body, Content_Encoding="gzip")
    metadata = {"n": 12, "k": {"a": 1.5}, "l": [False], "b": "hi", "trace_id": "ab" * 16, "span_id": ""}
    assert first == {"message": "m", "level": "WARN", "source": "js", "timestamp": ISO, "metadata": metadata}
    assert (second["message"], second["level"], second["timestamp"]) == ("7", "FATAL", ISO)


async def test_the_same_export_again_is_counted_once_unless_a_log_has_no_time(sender: Sender) -> None:
    for body in (exported({}, {"body": "n"}), gzip.compress(exported({}, {"body": "n"}))):
        encoding = {"Content_Encoding": "gzip"} if body[:1] == b"\x1f" else {}
        assert (await sender.post(LOGS, body, **encoding)).status == 200
    untimed = exported({"time_unix_nano": 0})
    for _ in range(2):
        assert (await sender.post(LOGS, untimed)).status == 200
    await sender.service.flush()
    assert await sender.accepted() == 4
    assert (await sender.figures("otlp"))["duplicates"] == 2


def field(number: int, data: bytes) -> bytes:
    length, head = len(data), bytes([number << 3 | 2])
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    return head + bytes([length]) + data


HOSTILE = {
    "empty logs": field(1, field(2, b"\x12\x00" * 100_000)),
    "empty scopes": field(1, b"\x12\x00" * 100_000),
    "empty resources": b"\x0a\x00" * 100_000,
    "unknown fields": b"\x18\x01" * 100_000,
    "a length beyond the end": b"\x0a\xff\xff\xff\x7fxx",
    "a varint that never ends": b"\xff" * 1000,
    "a group": b"\x0b\x0c",
    "nesting": field(1, field(2, field(2, b"\x2a\x08\x2a\x06\x0a\x04\x2a\x02" * 50))),
    "not protobuf": b"hello",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_protobuf_is_refused_quickly(sender: Sender, name: str) -> None:
    answer = await sender.post(LOGS, HOSTILE[name], Content_Type="application/x-protobuf")
    assert answer.status in (200, 400, 413)
    assert (await sender.post(LOGS, exported({}))).status == 200


@pytest.mark.parametrize("scope", ["", "lib"])
async def test_thousands_of_records_in_one_scope(sender: Sender, scope: str) -> None:
    assert len(await sender.records(LOGS, exported(*({"body": f"m {n}"} for n in range(1900)), scope=scope))) == 1900


async def test_one_huge_record_costs_itself(sender: Sender) -> None:
    many = field(1, field(2, field(2, b"\x32\x00" * 1_100_000) + field(2, field(5, field(1, b"good")))))
    answer = await sender.post(LOGS, many)
    assert ExportLogsServiceResponse.FromString(answer.body).partial_success.rejected_log_records == 1
    deep: Any = "x"
    for _ in range(25):
        deep = {"a": deep}
    labels = {f"k{n}": n for n in range(10_000)}
    records = await sender.records(LOGS, exported({"attributes": {"deep": deep, **labels}}, {"body": "y" * 100_000}))
    assert len(records[0]["metadata"]) <= 66
    assert records[1]["message"].endswith("[cut, 100000 characters]")


async def test_damaged_requests_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(3)
    good = exported({"attributes": {"a": [1, {"b": "c"}]}, "severity_number": 9}, {"body": {"msg": "n"}}, scope="s")
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        cut = damaged[: chance.randrange(len(damaged) + 1)]
        assert (await sender.post(LOGS, bytes(cut))).status in (200, 400)
    resource = {"attributes": [{"key": "a", "value": {"intValue": "1"}}]}
    logs = [{"body": {"stringValue": "m"}, "timeUnixNano": "1"}]
    document = json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}]})
    values = ["null", "1", '"x"', "[]", "{}", "[1]", "1e999", "true"]
    for _ in range(300):
        at = chance.randrange(len(document))
        damaged_json = document[:at] + chance.choice(values) + document[at + chance.randrange(8) :]
        assert (await sender.post(LOGS, damaged_json, Content_Type="application/json")).status in (200, 400)
