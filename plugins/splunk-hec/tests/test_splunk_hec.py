"""Events and lines of HEC clients, their answers, and hostile bodies."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from tests.support.sender import Sender, sending

TIME = 1_790_000_000
ISO = "2026-09-21T14:13:20.000000Z"
HEC = "/services/collector"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.splunk-hec]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        sender.headers["Authorization"] = "Splunk 0000"
        yield sender


def event(event: Any, **more: Any) -> str:
    return json.dumps({"event": event, "time": TIME, "source": "shop", **more})


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (event("text"), {"message": "text", "source": "shop", "timestamp": ISO, "level": "INFO"}),
        (event("m", time=f"{TIME}.250000"), {"timestamp": ISO.replace("000000Z", "250000Z")}),
        (event({"message": "m", "severity": "warning", "zone": "eu"}), {"level": "WARN", "metadata": {"zone": "eu"}}),
        (event({"message": {"msg": "m", "meta": {"a": 1}}, "severity": "error"}), {"message": "m", "level": "ERROR"}),
        (
            event({"message": {"msg": "m", "meta": {"a": 1, "message": "m", "level": "error"}}, "severity": "error"}),
            {"message": "m", "level": "ERROR", "metadata": {"a": 1}},
        ),
        (
            event("m", fields={"level": "fatal", "a": 1}, host="pi"),
            {"level": "FATAL", "metadata": {"a": 1, "host": "pi"}},
        ),
        (event("m", source="stdout", sourcetype="nginx"), {"source": "nginx"}),
        (event({"message": "m"}, source=None, host="pi"), {"source": "pi"}),
        (event('{"msg": "inside", "level": "error"}'), {"message": "inside", "level": "ERROR"}),
        (event(7), {"message": "7"}),
        (event({"a": 1}), {"message": '{"a":1}'}),
        (
            event({"line": "ready", "source": "stderr", "tag": "web", "attrs": {"env": "home"}}, source=None),
            {"message": "ready", "source": "web", "metadata": {"env": "home", "stream": "stderr"}},
        ),
        (
            event({"line": {"level": "error", "msg": "json"}, "tag": "web"}, source=""),
            {"level": "ERROR", "source": "web"},
        ),
    ],
)
async def test_events(sender: Sender, sent: str, expected: dict[str, Any]) -> None:
    record = (await sender.records(HEC, sent))[0]
    assert {name: record[name] for name in expected} == expected


async def test_events_stand_one_behind_the_other_and_bad_ones_cost_themselves(sender: Sender) -> None:
    body = event("a") + event("b") + "\n" + event("") + f"[{event('c')}, 7]" + '{"time": 1}' + "{not json"
    answer = await sender.post(f"{HEC}/event/1.0", body, Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.json) == (200, {"text": "Success", "code": 0})
    figures = await sender.figures("splunk-hec")
    assert (figures["accepted"], figures["rejected"]) == (3, 4)


async def test_lines(sender: Sender) -> None:
    body = b"raw one\r\n\n" + b'{"msg": "two", "level": "warn"}\n'
    records = await sender.records(f"{HEC}/raw?source=shop&host=pi&time={TIME}", body)
    assert [(one["message"], one["level"], one["source"]) for one in records] == [
        ("raw one", "INFO", "shop"),
        ("two", "WARN", "shop"),
    ]
    assert (records[0]["timestamp"], records[0]["metadata"]) == (ISO, {"host": "pi"})


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", "", 400, 5),
        ("/raw", "\n", 400, 5),
        ("", "{x", 400, 6),
        ("", '{"event": ""}', 400, 12),
        ("", "[" * 30_000, 400, 6),
        ("", event("m") * 2001, 413, 27),
    ],
)
async def test_what_is_refused(sender: Sender, path: str, body: str, status: int, code: int) -> None:
    answer = await sender.post(HEC + path, body)
    assert (answer.status, answer.json["code"]) == (status, code)


async def test_acknowledgements_are_for_channels(sender: Sender) -> None:
    first = await sender.post(f"{HEC}/event?channel=c", event("a"))
    second = await sender.post(f"{HEC}/raw", "b", X_Splunk_Request_Channel="c")
    assert [first.json["ackId"], second.json["ackId"]] == [0, 1]
    assert (await sender.post(f"{HEC}/ack?channel=c", '{"acks": [0, 1]}')).json == {"acks": {"0": True, "1": True}}
    for wrong in ("", "[]", '{"acks": 7}', "[" * 10_000):
        assert (await sender.post(f"{HEC}/ack", wrong)).status == 400


async def test_a_token_is_needed_and_is_an_api_key_where_there_are_some(sender: Sender, tmp_path: Path) -> None:
    del sender.headers["Authorization"]
    assert (await sender.post(HEC, event("m"))).json == {"text": "Token is required", "code": 2}
    assert (await sender.send("OPTIONS", f"{HEC}/event/1.0")).status == 200
    assert (await sender.send("GET", f"{HEC}/health")).json["code"] == 17
    token = add_key(tmp_path / "keys.toml", "docker")
    async with sending("[plugins.splunk-hec]", environ={"API_KEYS_FILE": str(tmp_path / "keys.toml")}) as guarded:
        assert (await guarded.post(HEC, event("m"), Authorization="Splunk 0000")).status == 401
        assert (await guarded.post(HEC, event("m"), Authorization=f"Splunk {token}")).status == 200
        assert (await guarded.post(f"{HEC}?token={token}", event("m"))).status == 200
        assert (await guarded.send("OPTIONS", HEC)).status == 200


async def test_the_same_events_again_are_counted_once_unless_one_has_no_time(sender: Sender) -> None:
    for _ in range(2):
        assert (await sender.post(HEC, event("a") + event("b"))).status == 200
        assert (await sender.post(HEC, event("a") + event("b", time=None))).status == 200
        assert (await sender.post(f"{HEC}/raw", "line")).status == 200
    await sender.service.flush()
    assert await sender.accepted() == 2 + 4 + 2


async def test_damaged_bodies_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(13)
    good = event({"line": "x", "tag": "t"}) + event({"message": {"msg": "m", "meta": {}}}, fields={"a": 1})
    for _ in range(400):
        at = chance.randrange(len(good))
        values = ["null", "1", '"x"', "[]", "{}", "1e999", "NaN", "\x00"]
        damaged = good[:at] + chance.choice(values) + good[at + chance.randrange(8) :]
        assert (await sender.post(HEC, damaged)).status in (200, 400)
