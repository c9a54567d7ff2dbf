"""Messages of a drain, repetitions and hostile bodies."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from tests.support.sender import Sender, sending

TIME = "2026-09-21T14:13:20.000100+00:00"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.logplex]") as sender:
        sender.headers["Content-Type"] = "application/logplex-1"
        yield sender


def frames(*messages: str) -> bytes:
    return b"".join(b"%d %s" % (len(one.encode()), one.encode()) for one in messages)


def message(text: str, app: str = "app", dyno: str = "web.1") -> str:
    return f"<190>1 {TIME} host {app} {dyno} - {text}"


async def test_messages_are_logs_whose_level_is_that_of_the_text(sender: Sender) -> None:
    body = frames(
        message("started\n"),
        message('{"msg": "slow", "level": "warn", "ms": 7}'),
        message("[a] b", "heroku", "router"),
        f"<45>1 {TIME} d.17 app web.2 - State changed",
    )
    records = await sender.records("/logplex?source=shop", body)
    assert [(one["message"], one["level"], one["source"]) for one in records] == [
        ("started", "INFO", "shop"),
        ("slow", "WARN", "shop"),
        ("[a] b", "INFO", "shop"),
        ("State changed", "INFO", "shop"),
    ]
    assert records[0]["timestamp"] == "2026-09-21T14:13:20.000100Z"
    assert records[1]["metadata"] == {"app": "app", "procid": "web.1", "ms": 7}
    assert records[3]["metadata"]["host"] == "d.17"
    assert [one["source"] for one in await sender.records("/logplex", body)] == ["app", "app", "heroku", "app"]


async def test_a_frame_sent_again_is_counted_once_and_an_equal_one_is_not(sender: Sender) -> None:
    body = frames(message("paid"))
    for frame in ("f-1", "f-1", "f-2"):
        assert (await sender.post("/logplex", body, Logplex_Frame_Id=frame)).status == 204
    assert await sender.accepted() == 2
    assert (await sender.figures("logplex"))["duplicates"] == 1


async def test_a_bad_message_costs_itself_and_a_body_without_messages_is_refused(sender: Sender) -> None:
    broken = frames(message("whole"), message("")) + b"900 <190>1 broken off"
    assert (await sender.post("/logplex", broken)).status == 204
    figures = await sender.figures("logplex")
    assert (figures["accepted"], figures["rejected"]) == (1, 2)
    assert (await sender.post("/logplex", b"999999999 <1>x")).status == 400


async def test_no_body_is_answered_500(sender: Sender) -> None:
    chosen = random.Random(7)
    whole = frames(message("one"), message("two"))
    for _ in range(60):
        body = bytearray(whole)
        for _ in range(chosen.randint(1, 9)):
            body[chosen.randrange(len(body))] = chosen.randrange(256)
        assert (await sender.post("/logplex", bytes(body[: chosen.randint(1, len(body))]))).status in (204, 400)
