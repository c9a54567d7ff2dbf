"""`POST /gelf`, as pygelf, Graylog's libraries and hostile senders use it."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.sender import Sender, sending

GELF = "/gelf"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.gelf]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        yield sender


def message(text: str = "m", **more: Any) -> dict[str, Any]:
    return {"version": "1.1", "host": "pi", "short_message": text, "timestamp": 1_790_000_000.25, "level": 3, **more}


async def test_a_message_in_every_compression_and_form(sender: Sender) -> None:
    body = json.dumps(message(_service="shop", _shop="north")).encode()
    for sent in (body, gzip.compress(body), zlib.compress(body), body + b"\0"):
        record = (await sender.records(GELF, sent, Content_Encoding="gzip,deflate"))[0]
        assert (record["message"], record["level"], record["source"]) == ("m", "ERROR", "shop")
        assert record["timestamp"] == "2026-09-21T14:13:20.250000Z"
        assert record["metadata"]["shop"] == "north"
    several = [message("a"), 7, message("b")]
    for sent in (json.dumps(several).encode(), b"\n".join(json.dumps(one).encode() for one in several)):
        assert [one["message"] for one in await sender.records(GELF, sent)] == ["a", "b"]


async def test_answers(sender: Sender) -> None:
    body = json.dumps(message())
    for _ in range(2):
        assert (await sender.post(GELF, body)).status == 202
    assert (await sender.post(GELF, json.dumps([message(""), message()]))).status == 202
    figures = (await sender.figures("gelf"))["http"]
    assert (figures["accepted"], figures["rejected"], figures["duplicates"]) == (3, 1, 0)
    for wrong in ("{", "", "x"):
        assert (await sender.post(GELF, wrong)).status == 400
    assert (await sender.post(GELF, gzip.compress(b"x" * 9_000_000))).status == 413
    assert (await sender.post(GELF, gzip.compress(body.encode())[:-4])).status == 400
    assert (await sender.post(GELF, json.dumps([message()] * 2001))).status == 413
    many = json.dumps(message(**{f"_k{n}": n for n in range(10_000)}))
    assert len((await sender.records(GELF, many))[0]["metadata"]) <= 65


async def test_damaged_messages_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(19)
    good = json.dumps(message(_a={"b": 1}, full_message="m\nmore", _container_name="c"))
    for _ in range(400):
        at = chance.randrange(len(good))
        values = ["null", "1", '"x"', "[]", "{}", "1e999", "NaN", "\x00", "\n"]
        damaged = good[:at] + chance.choice(values) + good[at + chance.randrange(8) :]
        assert (await sender.post(GELF, damaged)).status in (202, 400)
