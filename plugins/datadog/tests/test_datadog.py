"""Logs of Datadog's agents and clients, their answers, and hostile bodies."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from log_aggregator.http.access.keys import add_key
from tests.support.sender import Sender, sending

MILLIS = 1_790_000_000_005
ISO = "2026-09-21T14:13:20.005000Z"
LOGS = "/api/v2/logs"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.datadog]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        yield sender


def log(message: Any = "m", **more: Any) -> dict[str, Any]:
    return {"message": message, "timestamp": MILLIS, "service": "shop", **more}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (log(status="error", hostname="pi", ddsource="python"), {"level": "ERROR", "source": "shop"}),
        (log(ddtags="env:x,team:a:b,bare", n=1), {"metadata": {"env": "x", "team": "a:b", "bare": "bare", "n": 1}}),
        (log(status="ok"), {"level": "INFO"}),
        (log(status=3), {"level": "ERROR"}),
        (log(status="4"), {"level": "WARN"}),
        (log(status=503), {"level": "INFO", "metadata": {"status": 503}}),
        (log(status="503"), {"level": "INFO", "metadata": {"status": "503"}}),
        (log(timestamp=str(MILLIS)), {"timestamp": ISO}),
        (log(service=None, ddsource="nginx"), {"source": "nginx"}),
        (log('{"msg": "inside", "level": "warn"}'), {"message": "inside", "level": "WARN"}),
        (log({"msg": "object"}), {"message": "object"}),
        (log([1, 2]), {"message": "[1,2]"}),
    ],
)  # fmt: skip
async def test_logs(sender: Sender, sent: dict[str, Any], expected: dict[str, Any]) -> None:
    record = (await sender.records(LOGS, json.dumps([sent]), Content_Type="application/json"))[0]
    assert {name: record[name] for name in expected} == expected


async def test_lines_with_what_the_query_says(sender: Sender) -> None:
    records = await sender.records(f"{LOGS}?service=shop&ddtags=env:x", b"one\r\n\ntwo", Content_Type="text/plain")
    assert [(one["message"], one["source"], one["metadata"]) for one in records] == [
        ("one", "shop", {"env": "x"}),
        ("two", "shop", {"env": "x"}),
    ]


async def test_answers(sender: Sender) -> None:
    checked = await sender.post(LOGS, "{}", Content_Type="application/json")
    assert (checked.status, checked.json) == (202, {})
    bad = json.dumps([log(), log(""), {"service": "x"}, 7])
    for encoding, body in (("gzip", gzip.compress(bad.encode())), ("zstd", zstandard.compress(bad.encode()))):
        assert (await sender.post(LOGS, body, Content_Encoding=encoding)).status == 202
    figures = await sender.figures("datadog")
    assert (figures["accepted"], figures["duplicates"], figures["rejected"]) == (1, 1, 6)
    for wrong in ("[", '"text"', "null"):
        answer = await sender.post(LOGS, wrong, Content_Type="application/json")
        assert (answer.status, answer.json["errors"][0]["status"]) == (400, "400")
    assert (await sender.post(LOGS, b"x", Content_Encoding="br")).status == 400
    assert (await sender.post(LOGS, json.dumps([log()] * 2001))).status == 413
    assert (
        len((await sender.records(LOGS, json.dumps(log(**{f"k{n}": n for n in range(10_000)}))))[0]["metadata"]) <= 65
    )


async def test_keys_in_every_place(tmp_path: Path) -> None:
    token = add_key(tmp_path / "keys.toml", "agent")
    body = json.dumps([log()])
    async with sending("[plugins.datadog]", environ={"API_KEYS_FILE": str(tmp_path / "keys.toml")}) as sender:
        assert (await sender.post(LOGS, body, DD_API_KEY=token)).status == 202
        for path in (f"{LOGS}?dd-api-key={token}", f"/v1/input/{token}", f"/v1/input?api_key={token}"):
            assert (await sender.post(path, body)).status == 202
        assert (await sender.send("GET", "/api/v1/validate", DD_API_KEY=token)).json == {"valid": True}
        for key in ("x", ""):
            assert (await sender.post(LOGS, body, DD_API_KEY=key)).status == 401


async def test_the_same_logs_again_are_counted_once_unless_one_has_no_time(sender: Sender) -> None:
    for _ in range(2):
        await sender.post(LOGS, json.dumps([log("a"), log("b")]))
        await sender.post(LOGS, json.dumps([log("a"), log("b", timestamp=None)]))
        await sender.post(LOGS, "line", Content_Type="text/plain")
    await sender.service.flush()
    assert await sender.accepted() == 2 + 4 + 2


async def test_damaged_bodies_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(17)
    good = json.dumps([log({"msg": "x"}, status="error", ddtags="a:b"), log("m", hostname="pi")])
    for _ in range(400):
        at = chance.randrange(len(good))
        values = ["null", "1", '"x"', "[]", "{}", "1e999", "NaN", "\x00"]
        damaged = good[:at] + chance.choice(values) + good[at + chance.randrange(8) :]
        assert (await sender.post(LOGS, damaged, Content_Type="application/json")).status in (202, 400)
