"""Whatever the analytics service does, the store's lag stays flat, and nothing waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from email.utils import formatdate
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from log_aggregator_analytics import delivery
from log_aggregator_analytics.delivery import LONGEST_RETRY_AFTER, seconds
from plugins.analytics.tests import broken_servers as broken
from plugins.analytics.tests.conftest import StartFlow
from plugins.analytics.tests.receiver import Fault, Receiver, receiving

IMPATIENT = "timeout = 0.3\nconnect_timeout = 0.3"
PATIENT = "timeout = 300\nconnect_timeout = 300"
"""One attempt outlasts the test: a store that waits for it is found out."""

BELOW_HTTP: dict[str, tuple[Callable[[], AbstractAsyncContextManager[str]], str]] = {
    "refused": (broken.refusing, "cannot connect: "),
    "DNS failure": (broken.nameless, "the name cannot be resolved"),
    "black hole": (broken.black_hole, "no answer within 0.3 s"),
    "never answers": (partial(broken.talking, broken.never_answer), "no answer within 0.3 s"),
    "never reads": (partial(broken.talking, broken.never_read), "no answer within 0.3 s"),
    "slow drip": (partial(broken.talking, broken.drip_headers), "no answer within 0.3 s"),
    "hangs up": (partial(broken.talking, broken.hang_up), "the connection was closed without an answer"),
    "garbage": (partial(broken.talking, broken.garbage), "ClientResponseError"),
}


@pytest.mark.parametrize("fault", BELOW_HTTP)
async def test_a_fault_below_http(start_flow: StartFlow, fault: str) -> None:
    server, said = BELOW_HTTP[fault]
    async with server() as url:
        async with start_flow(url, PATIENT) as flow:
            await flow.assert_store_is_not_held_up()
        async with start_flow(url, IMPATIENT) as flow:
            await flow.feed()
            await flow.failed()
        assert flow.analytics.last_error.startswith("RetryableError: http://")
        assert said in flow.analytics.last_error


async def answer_500(_: web.Request, __: Receiver) -> web.StreamResponse:
    return web.Response(status=500, text="oh no")


async def answer_429(_: web.Request, __: Receiver) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "0.1"})


async def endless_refusal(request: web.Request, _: Receiver) -> web.StreamResponse:
    response = web.StreamResponse(status=503)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


async def redirect(_: web.Request, receiver: Receiver) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": f"{receiver.url}/elsewhere"})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answer_500, "answered 500"),
        (answer_429, "answered 429"),
        (endless_refusal, "answered 503"),
        (redirect, "a redirect, which is not followed; set the final address"),
    ],
)
async def test_a_fault_of_http_and_its_end(start_flow: StartFlow, fault: Fault, said: str) -> None:
    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = fault
        await flow.assert_store_is_not_held_up()
        await flow.failed()
        assert said in flow.analytics.last_error
        receiver.fault = None
        await flow.forwarded(await flow.feed())
        assert receiver.logs == flow.sent
        assert set(receiver.seen.values()) == {1}


async def test_a_certificate_that_nobody_vouches_for(start_flow: StartFlow, tmp_path: Path) -> None:
    async with broken.untrusted(tmp_path) as url, start_flow(url) as flow:
        await flow.assert_store_is_not_held_up()
        await flow.failed()
        assert "TLS: " in flow.analytics.last_error


async def test_a_certificate_that_is_named_is_trusted(start_flow: StartFlow, tmp_path: Path) -> None:
    path = broken.certificate(tmp_path, "localhost")
    async with receiving(broken.server_side(path)) as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        async with start_flow(url, f'ca_file = "{path}"') as flow:
            await flow.forwarded(await flow.feed())
            assert receiver.logs == flow.sent


async def test_a_redirect_is_never_followed_with_the_credentials(start_flow: StartFlow) -> None:
    visited: list[str] = []

    async def note_and_redirect(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        visited.append(request.path)
        return await redirect(request, receiver)

    async with receiving() as receiver, start_flow(receiver.url, 'authorization = "Bearer secret"') as flow:
        receiver.fault = note_and_redirect
        await flow.feed()
        await flow.failed()
        await flow.failed()
        assert set(visited) == {"/aggregates"}
        assert "secret" not in flow.analytics.last_error


async def test_an_endless_body_after_success_is_read_to_a_bound(start_flow: StartFlow) -> None:
    written = 0
    closed = asyncio.Event()

    async def endless(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        nonlocal written
        await receiver.take(request)
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
                written += 65_536
        finally:
            closed.set()

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = endless
        await flow.forwarded(await flow.feed())
        async with asyncio.timeout(30):
            await closed.wait()
        assert list(receiver.seen.values()) == [1]
        assert written < 64 * 1024 * 1024


async def test_a_body_that_drips_after_success_does_not_hold_up_the_next_flush(
    start_flow: StartFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ANSWER_TIMEOUT", 0.05)

    async def drip(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        await receiver.take(request)
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        await response.write(b"x")
        await receiver.released.wait()
        return response

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = drip
        for _ in range(3):
            await flow.forwarded(await flow.feed())
        assert receiver.logs == flow.sent
        assert set(receiver.seen.values()) == {1}


async def test_retry_after_is_what_the_lane_waits(start_flow: StartFlow) -> None:
    async def later(_: web.Request, __: Receiver) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "120"})

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = later
        sequence = await flow.feed()
        await asyncio.wait_for(receiver.hit.wait(), 30)
        await flow.stored(sequence)
        # Ten times the longest pause that the lane would make by itself, as the fixture sets it.
        await asyncio.sleep(2)
        assert flow.analytics.attempts == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None), ("", None), ("soon", None), ("nan", None), ("inf", None), ("-5", 0.0), ("7", 7.0), ("1.5", 1.5),
        ("1000000000000", LONGEST_RETRY_AFTER), (formatdate(0, usegmt=True), 0.0),
        (formatdate(4_000_000_000, usegmt=True), LONGEST_RETRY_AFTER),
    ],
)  # fmt: skip
def test_retry_after_is_bounded(header: str | None, wait: float | None) -> None:
    assert seconds(header) == wait


async def test_the_end_does_not_wait_for_a_service_that_never_answers(start_flow: StartFlow) -> None:
    async with broken.talking(broken.never_answer) as url:
        loop = asyncio.get_running_loop()
        async with start_flow(url, "timeout = 300") as flow:
            await flow.stored(await flow.feed())
            ended = loop.time()
        assert loop.time() - ended < 30
