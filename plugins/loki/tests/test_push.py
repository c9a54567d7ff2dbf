"""What is pushed to Loki, as JSON and as protobuf, becomes records; what is hostile costs nothing else."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import cramjam
import pytest

from log_aggregator.http.problem import Problem
from log_aggregator_loki import push
from log_aggregator_loki.labels import LabelsError, parse
from tests.support.sender import Sender, sending

SECONDS = 1_790_000_000
ISO = "2026-09-21T14:13:20.000000Z"
PUSH = "/loki/api/v1/push"
PROTOBUF = {"Content_Type": "application/x-protobuf"}


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.loki]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        yield sender


def pushed(*values: list[Any], stream: Mapping[str, Any] | None = None) -> str:
    labels = {"service_name": "shop"} if stream is None else stream
    return json.dumps({"streams": [{"stream": labels, "values": values}]})


def line(text: Any, nanos: int = 0, *more: Any) -> list[Any]:
    return [str(SECONDS * 10**9 + nanos), text, *more]


def field(number: int, value: bytes | str | int) -> bytes:
    def varint(number: int) -> bytes:
        written = b""
        while number > 127:
            written, number = written + bytes([number & 127 | 128]), number >> 7
        return written + bytes([number])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def block(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def stream(labels: str, *lines: str, nanos: int = 5000, **more: str) -> bytes:
    metadata = b"".join(field(3, field(1, name) + field(2, value)) for name, value in more.items())
    when = field(1, field(1, SECONDS) + field(2, nanos))
    return field(1, field(1, labels) + b"".join(field(2, when + field(2, one) + metadata) for one in lines))


async def one(sender: Sender, labels: Mapping[str, Any], text: str = "m", *more: Any) -> dict[str, Any]:
    return (await sender.records(PUSH, pushed(line(text, 0, *more), stream=labels), Content_Type="application/json"))[0]


async def test_json_with_structured_metadata_and_tenant(sender: Sender) -> None:
    body = pushed(line("a line", 1), line("second", 1000, {"user": "u"}), stream={"job": "j", "pod": "p"})
    first, second = await sender.records(PUSH, gzip.compress(body.encode()), Content_Encoding="gzip", X_Scope_OrgID="h")
    assert first == {
        "message": "a line",
        "level": "INFO",
        "source": "j",
        "timestamp": ISO,
        "metadata": {"pod": "p", "tenant": "h"},
    }
    assert second["metadata"] == {"pod": "p", "tenant": "h", "user": "u"}
    assert second["timestamp"] == ISO.replace("000000", "000001")


async def test_protobuf_in_a_snappy_block(sender: Sender) -> None:
    body = stream('{app="shop", container="api", detected_level="error"}', "boom", "crash", trace="t1")
    for more in ({}, {"Content_Encoding": "snappy"}):
        records = await sender.records(PUSH, block(body), **PROTOBUF, **more)
        assert records[0] == {
            "message": "boom",
            "level": "ERROR",
            "source": "shop",
            "timestamp": ISO.replace("000000", "000005"),
            "metadata": {"container": "api", "trace": "t1"},
        }
        assert records[1]["message"] == "crash"


@pytest.mark.parametrize(
    ("labels", "text", "more", "level"),
    [
        ({"severity": "warning"}, "m", (), "WARN"),
        ({"level": "debug", "detected_level": "error"}, "m", (), "DEBUG"),
        ({"detected_level": "unknown"}, '{"level": "fatal", "msg": "m"}', (), "FATAL"),
        ({"level": "info"}, '{"level": "fatal", "msg": "m"}', (), "INFO"),
        ({}, "m", ({"severity_text": "ERROR"},), "ERROR"),
        ({"level": "info"}, "m", ({"level": "warn"},), "WARN"),
    ],
)
async def test_levels(sender: Sender, labels: Any, text: str, more: Any, level: str) -> None:
    assert (await one(sender, labels, text, *more))["level"] == level


@pytest.mark.parametrize(
    ("labels", "source"),
    [
        ({"service_name": "unknown_service", "app": "a"}, "a"),
        ({"container_name": "web-1", "compose_service": "web", "source": "stderr"}, "web"),
        ({"unit": "ssh.service", "host": "pi"}, "ssh.service"),
        ({"source": "stdout"}, "unknown"),
    ],
)
async def test_sources(sender: Sender, labels: Any, source: str) -> None:
    assert (await one(sender, labels))["source"] == source


async def test_a_line_that_is_json_is_read_and_one_that_is_not_stays(sender: Sender) -> None:
    lines = ['{"msg": "pino inside", "shop": "n"}', '{"a": 1}', "{not json"]
    records = await sender.records(PUSH, pushed(*map(line, lines)))
    assert [record["message"] for record in records] == ["pino inside", '{"a": 1}', "{not json"]
    assert records[0]["metadata"] == {"shop": "n"}
    assert {record["source"] for record in records} == {"shop"}


async def test_answers(sender: Sender) -> None:
    good = await sender.post(PUSH, pushed(line("m")), Content_Type="application/json")
    assert (good.status, good.body) == (204, b"")
    bad = pushed(line(""), ["x"], line(7), "y", line("good"), ["not a time", "m"])  # type: ignore[arg-type]  # hostile
    assert (await sender.post(PUSH, bad)).status == 204
    figures = await sender.figures("loki")
    assert (figures["accepted"], figures["rejected"]) == (3, 4), "a time that cannot be read costs the time"
    for body in ("{", "[]", '{"streams": 7}'):
        assert (await sender.post(PUSH, body, Content_Type="application/json")).status == 400
    assert (await sender.send("GET", "/ready")).body == b"ready\n"


async def test_the_same_push_again_is_counted_once_unless_a_line_has_no_time(sender: Sender) -> None:
    for _ in range(2):
        await sender.post(PUSH, pushed(line("m"), line("n")))
        await sender.post(PUSH, block(stream('{app="a"}', "m")), **PROTOBUF)
        await sender.post(PUSH, pushed(line("m"), stream={"app": "other"}))
        await sender.post(PUSH, pushed(["0", "m"]))
    await sender.service.flush()
    assert await sender.accepted() == 4 + 2


def test_labels() -> None:
    assert parse('{a="x", b_c="quote \\"b\\\\c, d=\\"e\\"" ,e="\\n\\u00e9\\x41\\101",}') == {
        "a": "x",
        "b_c": 'quote "b\\c, d="e"',
        "e": "\n\u00e9AA",
    }
    assert parse("{}") == {}
    for text in ("", "a=1", '{a="x" b="y"}', '{a="x}', "{a=x}", '{="x"}'):
        with pytest.raises(LabelsError):
            parse(text)


HOSTILE = {
    "empty entries": block(field(1, b"\x12\x00" * 100_000)),
    "empty streams": block(b"\x0a\x00" * 100_000),
    "numbers": block(b"\x08\x01" * 100_000),
    "a length that lies": b"\xff\xff\xff\x7f" + b"x" * 10,
    "a growth that lies": b"\x80\x80\x80\x01" + b"x" * 10,
    "truncated": block(stream('{a="b"}', "m"))[:-3],
    "a label that is a number": block(field(1, field(1, 7) + field(2, field(1, 7) + field(2, 9) + field(3, 1)))),
    "bad labels": block(stream("{a=", "m")),
    "nothing": b"",
    "text": b"hello",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_pushes_are_refused_and_cost_no_other(sender: Sender, name: str) -> None:
    assert (await sender.post(PUSH, HOSTILE[name], **PROTOBUF)).status in (204, 400, 413)
    assert (await sender.post(PUSH, pushed(line("m")))).status == 204


async def test_ten_thousand_labels_are_cut(sender: Sender) -> None:
    labels = {f"l{n}": "v" for n in range(10_000)}
    text = "{" + ",".join(f'{name}="v"' for name in labels) + "}"
    for records in (
        await sender.records(PUSH, pushed(line("m", 0, labels), stream=labels)),
        await sender.records(PUSH, block(stream(text, "m", **labels)), **PROTOBUF),
    ):
        assert len(records[0]["metadata"]) <= 65


async def test_a_bomb_in_snappy_is_refused_before_it_is_unpacked() -> None:
    async with sending("[plugins.loki]", environ={"MAX_DECOMPRESSED_BYTES": "100000"}) as sender:
        assert (await sender.post(PUSH, block(b"\x0a\x00" + b"a" * 200_000), **PROTOBUF)).status == 413


async def test_damaged_pushes_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(5)
    good = stream('{app="a", level="warn"}', "m", '{"msg": "n"}', user="u")
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert (await sender.post(PUSH, block(bytes(damaged)), **PROTOBUF)).status in (204, 400)
    text = pushed(line("m", 0, {"a": "b"}))
    for _ in range(300):
        at = chance.randrange(len(text))
        changed = (
            text[:at] + chance.choice(["null", "1", '"x"', "[]", "{}", "1e999"]) + text[at + chance.randrange(8) :]
        )
        assert (await sender.post(PUSH, changed, Content_Type="application/json")).status in (204, 400)


def test_short_entries_are_read_as_all_others() -> None:
    chance = random.Random(5)
    when = field(1, field(1, SECONDS) + field(2, 7))
    pair = field(3, field(1, "zone") + field(2, "eu"))
    good = when + field(2, "line" * 50) + pair * 2 + field(3, field(1, "id") + field(2, "x" * 200))
    short = 0
    for size in (b"", b"\x00", when, when + field(2, ""), field(2, "no time"), when + field(2, "l") + pair, good):
        for _ in range(300):
            damaged = bytearray(size)
            if damaged and chance.random() < 0.8:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            body = bytes(damaged) + b"\x12\x03abc"
            try:
                found = push._short_entry(body, 0, len(damaged), {})
            except Problem:
                continue
            if found is not None:
                short += 1
                assert found == push._any_entry(body, 0, len(damaged))
    assert short > 150
