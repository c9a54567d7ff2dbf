"""Targets beyond a webhook: their requests, their filters, quiet hours and digests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from log_aggregator_trends import Target
from log_aggregator_trends.message import digest_of, message_of
from log_aggregator_trends.outgoing import outgoing
from plugins.trends.tests.test_notifier import incident, notifying
from plugins.trends.tests.webhook_server import DEADLINE, run_webhook_server

LINK = "https://logs.example.org"


def target(**fields: Any) -> Target:
    return Target.model_validate(fields)


async def test_each_kind_is_sent_as_its_service_takes_it() -> None:
    kinds = ("teams", "telegram", "matrix", "gotify", "pagerduty", "alertmanager")
    async with run_webhook_server() as server:
        targets = [
            {"kind": kind, "url": f"{server.url}/{kind}", "token": "t0ken", "to": "!room:example.org"} for kind in kinds
        ]
        async with notifying(*targets, public_url=LINK) as (notifier, _):
            notifier.notify(incident(level="CRITICAL"))
            await server.wait_for(len(kinds))
        sent = {
            path.split("/")[1]: (method, path, body, headers)
            for method, path, body, headers in zip(
                server.methods, server.paths, server.bodies, server.headers, strict=True
            )
        }
    title, link = "Spike: shop: order <b> & {ID}", f"{LINK}/#/anomalies/i1"
    card = sent["teams"][2]["attachments"][0]["content"]
    assert (card["body"][0]["text"], card["actions"][0]["url"]) == (title, link)
    assert sent["telegram"][1] == "/telegram/bott0ken/sendMessage"
    assert (sent["telegram"][2]["chat_id"], link in sent["telegram"][2]["text"]) == ("!room:example.org", True)
    method, path, body, headers = sent["matrix"]
    assert (method, headers["Authorization"], body["msgtype"]) == ("PUT", "Bearer t0ken", "m.text")
    assert path.startswith("/matrix/_matrix/client/v3/rooms/!room:example.org/send/m.room.message/i1-open-")
    method, path, body, headers = sent["gotify"]
    assert (path, headers["X-Gotify-Key"], body["title"]) == ("/gotify/message", "t0ken", title)
    event = sent["pagerduty"][2]
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == ("t0ken", "trigger", "i1")
    assert (event["payload"]["severity"], event["payload"]["source"]) == ("critical", "shop")
    (alert,) = sent["alertmanager"][2]
    assert sent["alertmanager"][1] == "/alertmanager/api/v2/alerts"
    assert alert["labels"] == {
        "alertname": "log_aggregator_spike", "incident": "i1", "source": "shop", "level": "CRITICAL", "pattern_id": "ab"
    }  # fmt: skip
    assert alert["startsAt"] < alert["endsAt"]


def test_an_end_ends_what_was_begun() -> None:
    over = message_of(incident(resolved=1_767_225_960_000_000, resolution="back to normal"), "resolved")
    event = outgoing(target(kind="pagerduty", token="k"), over)
    assert b'"event_action":"resolve"' in event.body
    alert = outgoing(target(kind="alertmanager", url="http://a.example"), over)
    assert b'"endsAt":"2026-01-01T00:06:00Z"' in alert.body


def test_a_text_of_markup_fits_into_a_section_of_slack() -> None:
    long = replace(message_of(incident(pattern="<" * 200), "open", LINK), text="<&>" * 600)
    body = json.loads(outgoing(target(kind="slack", url="http://a.example"), long).body)
    section = body["blocks"][0]["text"]["text"]
    assert len(section) <= 3000
    assert section.partition("\n")[2].startswith("&lt;&amp;&gt;")
    assert section.partition("…")[0].endswith(";")
    assert section.endswith("|Open>")


@asynccontextmanager
async def mail_server(host: str = "127.0.0.1") -> AsyncIterator[tuple[int, asyncio.Queue[str]]]:
    """A mail server that keeps what it gets."""
    mails: asyncio.Queue[str] = asyncio.Queue()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                mails.put_nowait((await reader.readuntil(b"\r\n.\r\n")).decode())
            if command == b"EHLO":
                writer.write(b"250-hello\r\n250-AUTH PLAIN\r\n")
            writer.write(b"250 ok\r\n" if command != b"QUIT" else b"221 bye\r\n")
            if command == b"QUIT":
                break
        writer.close()

    server = await asyncio.start_server(talk, host, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], mails


async def test_an_email_is_sent() -> None:
    async with mail_server() as (port, mails):
        url = f"smtp://127.0.0.1:{port}"
        told = {"kind": "email", "url": url, "to": "anna@example.org, bo@example.org", "sender": "logs@example.org"}
        async with notifying(told, public_url=LINK) as (notifier, delivered):
            notifier.notify(incident())
            async with asyncio.timeout(DEADLINE):
                mail = await mails.get()
                while not delivered:
                    await asyncio.sleep(0)
            assert notifier.stats()["email:127.0.0.1"]["sent"] == 1
    assert "Subject: Spike: shop: order <b> & {ID}" in mail
    assert "To: anna@example.org, bo@example.org" in mail
    assert f"{LINK}/#/anomalies/i1" in mail


async def test_a_password_is_not_sent_in_the_clear_to_another_host() -> None:
    async with mail_server("127.0.0.2") as (port, mails):  # an address that counts as another machine's
        told = {"kind": "email", "url": f"smtp://bo:s3cret@127.0.0.2:{port}", "to": "anna@example.org"}
        async with notifying(told) as (notifier, _):
            (outcome,) = await notifier.test()
    assert (outcome["error"], mails.qsize()) == ("SMTPNotSupportedError", 0)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"sources": ["sh*", "x"]}, True),
        ({"sources": ["x"]}, False),
        ({"levels": ["warning", "err"]}, True),
        ({"levels": ["fatal"]}, False),
        ({"kinds": ["spike", "rule"]}, True),
        ({"kinds": ["rule"], "sources": ["shop"]}, False),
    ],
)
async def test_a_target_gets_what_its_filters_let_pass(filters: dict[str, Any], wanted: bool) -> None:
    one = incident(level="ERROR")
    assert target(url="http://a.example", **filters).wants(one) is wanted
    async with run_webhook_server() as server:
        async with notifying({"url": server.url, **filters}, {"url": server.url}) as (notifier, _):
            notifier.notify(one)
            await server.wait_for(1 + wanted)
        assert server.requests == 1 + wanted


async def test_a_target_that_cannot_be_asked_does_not_end_the_others() -> None:
    async with run_webhook_server() as server:
        broken = {"url": f"{server.url}/broken", "headers": {"Authorization": "Bearer t0ken\n"}}
        async with notifying(broken, {"url": f"{server.url}/whole"}) as (notifier, _):
            for number in (1, 2):
                notifier.notify(incident(number))
                await server.wait_for(number)
            errors = [one["error"] for one in await notifier.test()]
    assert server.paths == ["/whole"] * 3
    assert errors == ["ValueError", ""]


def test_an_incident_that_nobody_wanted_is_known_as_over() -> None:
    async def check() -> None:
        over = incident(resolved=1_767_225_960_000_000)
        async with notifying({"url": "http://127.0.0.1:9/", "sources": ["x"]}) as (notifier, _):
            notifier.notify(over)
        assert over.notified == {"webhook:127.0.0.1": "resolved"}

    asyncio.run(check())


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ("22:00-07:00", "2026-03-01T23:00", "2026-03-02T07:00"),
        ("22:00-07:00", "2026-03-02T06:59", "2026-03-02T07:00"),
        ("22:00-07:00", "2026-03-02T07:00", "2026-03-02T07:00"),
        ("12:00-13:00", "2026-03-02T12:00", "2026-03-02T13:00"),
        ("12:00-13:00", "2026-03-02T11:00", "2026-03-02T11:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_quiet_hours(hours: str, at: str, until: str, zone: str) -> None:
    now, end = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() for text in (at, until))
    assert target(url="http://a.example", quiet_hours=f"{hours} {zone}").quiet_until(now) == end


async def test_what_came_in_quiet_hours_is_sent_as_one_at_their_end() -> None:
    now = datetime.fromisoformat("2026-03-02T03:00+00:00").timestamp()
    async with run_webhook_server() as server:
        night = {"kind": "ntfy", "url": f"{server.url}/phone", "quiet_hours": "22:00-07:00"}
        async with notifying(night, {"url": server.url}, clock=lambda: now) as (notifier, _):
            for number in (1, 2):
                notifier.notify(incident(number))
            await server.wait_for(2)
            assert notifier.stats()["ntfy:127.0.0.1"]["waiting"] == 2
        async with notifying(night, clock=lambda: now + 4 * 3600) as (notifier, delivered):
            for number in (1, 2):
                notifier.notify(incident(number))
            body = (await server.wait_for(3))[2]
            async with asyncio.timeout(DEADLINE):
                while len(delivered) < 2:
                    await asyncio.sleep(0)
    assert body["title"] == "2 incidents: Spike: shop: order <b> & {ID}"
    assert [what[0] for what in delivered] == ["i1", "i2"]


def test_a_digest_tells_the_end_of_what_it_would_have_begun() -> None:
    over = incident(2, resolved=1_767_225_960_000_000, resolution="back to normal")
    told = [message_of(incident(1), "open", LINK), message_of(incident(2), "open"), message_of(over, "resolved")]
    digest = digest_of(told, LINK)
    assert digest.title.startswith("2 incidents: Spike: shop")
    assert "Resolved: Spike" in digest.text
    assert (digest.over, digest.link) == (False, f"{LINK}/#/anomalies")
    assert digest_of(told[:1]) is told[0]
    assert digest_of(told[1:]) is told[2]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "slack"}, "url: a target of the kind slack needs one"),
        ({"kind": "telegram"}, "token, to: missing; a target of the kind telegram needs 'token' and 'to'"),
        ({"kind": "email", "url": "http://a.example", "to": "a@example.org"}, "begins with smtp:// or smtps://"),
        ({"url": "smtp://a.example"}, "begins with http:// or https://"),
        ({"url": "http://a.example", "digest_minutes": 5}, "gets each incident by itself"),
        ({"url": "http://a.example", "quiet_hours": "22-7"}, "expected two times of the day"),
        ({"url": "http://a.example", "quiet_hours": "22:00-07:00 Mars/Olympus"}, "knows no such time zone"),
        ({"url": "http://a.example", "quiet_hours": "07:00-07:00"}, "an end that is not the beginning"),
        ({"url": "http://a.example", "kind": "pager"}, "'webhook', 'ntfy'"),
    ],
)
def test_a_wrong_target_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        target(**fields)
