"""Deliveries of Firehose, their answers, repetitions and hostile bodies."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from tests.support.sender import Sender, sending

MILLIS = 1_790_000_000_250
ISO = "2026-09-21T14:13:20.250000Z"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.firehose]", environ={"MAX_DECOMPRESSED_BYTES": "300000"}) as sender:
        sender.headers |= {"Content-Type": "application/json", "X-Amz-Firehose-Request-Id": "r-1"}
        yield sender


def delivery(*records: bytes, request_id: str = "r-1") -> str:
    data = [{"data": base64.b64encode(record).decode()} for record in records]
    return json.dumps({"requestId": request_id, "timestamp": MILLIS, "records": data})


def events(*messages: str, kind: str = "DATA_MESSAGE", **more: Any) -> bytes:
    found = [{"id": f"e{n}", "timestamp": MILLIS, "message": text} for n, text in enumerate(messages)]
    about = {"messageType": kind, "owner": "123", "logGroup": "/aws/lambda/shop", "logStream": "s", **more}
    return gzip.compress(json.dumps(about | {"logEvents": found}).encode())


async def test_events_of_cloudwatch(sender: Sender) -> None:
    body = delivery(
        events("START\n", '{"level": "error", "msg": "lost", "order": 7}'), events("x", kind="CONTROL_MESSAGE")
    )
    records = await sender.records("/firehose", body)
    assert [(one["message"], one["level"], one["source"], one["timestamp"]) for one in records] == [
        ("START", "INFO", "/aws/lambda/shop", ISO),
        ("lost", "ERROR", "/aws/lambda/shop", ISO),
    ]
    assert records[1]["metadata"] == {"owner": "123", "logStream": "s", "id": "e1", "order": 7}


async def test_lines_and_objects(sender: Sender) -> None:
    common = json.dumps({"commonAttributes": {"env": "live"}})
    arn = "arn:aws:firehose:eu-central-1:1:deliverystream/orders"
    body = delivery(b'one\r\ntwo\n{"msg": "three", "service": "shop"}{"msg": "four"}\n{broken', b"five")
    records = await sender.records(
        "/firehose", body, X_Amz_Firehose_Common_Attributes=common, X_Amz_Firehose_Source_Arn=arn
    )
    assert [(one["message"], one["source"]) for one in records] == [
        ("one", "orders"),
        ("two", "orders"),
        ("three", "shop"),
        ("four", "orders"),
        ("{broken", "orders"),
        ("five", "orders"),
    ]
    assert all(one["metadata"] == {"env": "live"} for one in records)
    assert (await sender.records("/firehose?source=mine", delivery(b"a")))[0]["source"] == "mine"


async def test_the_answer_names_the_request_and_a_repetition_is_counted_once(sender: Sender) -> None:
    for request_id in ("r-1", "r-1", "r-2"):
        answer = await sender.post("/firehose", delivery(b"no time", request_id=request_id))
        assert (answer.status, answer.json["requestId"]) == (200, request_id)
        assert abs(answer.json["timestamp"] - MILLIS) > 1000, "the time is that of the answer"
    assert await sender.accepted() == 2
    assert (await sender.figures("firehose"))["duplicates"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("[" * 10_000, 400),
        ('{"requestId": "r-1"}', 400),
        (delivery(gzip.compress(bytes(400_000))), 413),
        (delivery(gzip.compress(bytes(200_000)), gzip.compress(bytes(200_000))), 413),
    ],
)
async def test_what_is_refused(sender: Sender, body: str, status: int) -> None:
    answer = await sender.post("/firehose", body)
    assert (answer.status, answer.json["requestId"]) == (status, "r-1")
    assert answer.json["errorMessage"]


async def test_a_bad_record_costs_itself(sender: Sender) -> None:
    document = json.loads(delivery(b"good", gzip.compress(b"breaks off")[:12], gzip.compress(b"x")[:4] + b"broken"))
    document["records"] += [{"data": "§§"}, {"data": 7}, 7, {}]
    assert (await sender.post("/firehose", json.dumps(document))).status == 200
    figures = await sender.figures("firehose")
    assert (figures["accepted"], figures["rejected"]) == (1, 6)


async def test_the_access_key_is_an_api_key(tmp_path: Path) -> None:
    token = add_key(tmp_path / "keys.toml", "aws")
    async with sending("[plugins.firehose]", environ={"API_KEYS_FILE": str(tmp_path / "keys.toml")}) as guarded:
        assert (await guarded.post("/firehose", delivery(b"a"))).status == 401
        assert (await guarded.post("/firehose", delivery(b"a"), X_Amz_Firehose_Access_Key=token)).status == 200


async def test_no_body_is_answered_500(sender: Sender) -> None:
    chosen = random.Random(7)
    whole = delivery(events("one", "two"), b"three").encode()
    for _ in range(60):
        body = bytearray(whole)
        for _ in range(chosen.randint(1, 9)):
            body[chosen.randrange(len(body))] = chosen.randrange(256)
        assert (await sender.post("/firehose", bytes(body[: chosen.randint(1, len(body))]))).status in (200, 400)
