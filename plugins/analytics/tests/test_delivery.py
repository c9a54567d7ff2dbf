"""No failure of the analytics service increases the store's lag, and every wait has a deadline."""

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
from log_aggregator_analytics.delivery import MAX_RETRY_AFTER, retry_after_seconds
from plugins.analytics.tests import broken_servers as broken
from plugins.analytics.tests.analytics_server import AnalyticsServer, Fault, run_analytics_server
from plugins.analytics.tests.conftest import StartForwarding

IMPATIENT = "timeout = 0.3\nconnect_timeout = 0.3"
PATIENT = "timeout = 300\nconnect_timeout = 300"
"""One attempt lasts longer than the test, so a store that waits for it fails the test."""

BELOW_HTTP: dict[str, tuple[Callable[[], AbstractAsyncContextManager[str]], str]] = {
    "refused": (broken.refusing, "cannot connect: "),
    "DNS failure": (broken.nameless, "the name cannot be resolved"),
    "black hole": (broken.black_hole, "no response within 0.3 s"),
    "never answers": (partial(broken.talking, broken.never_answer), "no response within 0.3 s"),
    "never reads": (partial(broken.talking, broken.never_read), "no response within 0.3 s"),
    "slow drip": (partial(broken.talking, broken.drip_headers), "no response within 0.3 s"),
    "hangs up": (partial(broken.talking, broken.hang_up), "the connection was closed without a response"),
    "not HTTP": (partial(broken.talking, broken.respond_without_http), "ClientResponseError"),
}


@pytest.mark.parametrize("fault", BELOW_HTTP)
async def test_faults_below_http_do_not_delay_the_store(start_forwarding: StartForwarding, fault: str) -> None:
    server, expected = BELOW_HTTP[fault]
    async with server() as url:
        async with start_forwarding(url, PATIENT) as forwarding:
            await forwarding.assert_store_is_not_held_up()
        async with start_forwarding(url, IMPATIENT) as forwarding:
            await forwarding.feed()
            await forwarding.failed()
        assert forwarding.analytics.last_error.startswith("RetryableError: http://")
        assert expected in forwarding.analytics.last_error


async def respond_500(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
    return web.Response(status=500, text="oh no")


async def respond_429(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "0.1"})


async def respond_503_endlessly(request: web.Request, _: AnalyticsServer) -> web.StreamResponse:
    response = web.StreamResponse(status=503)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


async def redirect(_: web.Request, server: AnalyticsServer) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": f"{server.url}/elsewhere"})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (respond_500, "status 500"),
        (respond_429, "status 429"),
        (respond_503_endlessly, "status 503"),
        (redirect, "redirects are not followed; set the final address"),
    ],
)
async def test_http_faults_do_not_delay_the_store_and_are_retried(
    start_forwarding: StartForwarding, fault: Fault, expected: str
) -> None:
    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = fault
        await forwarding.assert_store_is_not_held_up()
        await forwarding.failed()
        assert expected in forwarding.analytics.last_error
        server.fault = None
        await forwarding.forwarded(await forwarding.feed())
        assert server.logs == forwarding.sent
        assert set(server.seen.values()) == {1}


async def test_an_untrusted_certificate_is_an_error(start_forwarding: StartForwarding, tmp_path: Path) -> None:
    async with broken.untrusted(tmp_path) as url, start_forwarding(url) as forwarding:
        await forwarding.assert_store_is_not_held_up()
        await forwarding.failed()
        assert "TLS: " in forwarding.analytics.last_error


async def test_a_certificate_in_ca_file_is_trusted(start_forwarding: StartForwarding, tmp_path: Path) -> None:
    path = broken.certificate(tmp_path, "localhost")
    async with run_analytics_server(broken.server_side(path)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        async with start_forwarding(url, f'ca_file = "{path}"') as forwarding:
            await forwarding.forwarded(await forwarding.feed())
            assert server.logs == forwarding.sent


async def test_credentials_do_not_follow_a_redirect(start_forwarding: StartForwarding) -> None:
    visited: list[str] = []

    async def note_and_redirect(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        visited.append(request.path)
        return await redirect(request, server)

    async with (
        run_analytics_server() as server,
        start_forwarding(server.url, 'authorization = "Bearer secret"') as forwarding,
    ):
        server.fault = note_and_redirect
        await forwarding.feed()
        await forwarding.failed()
        await forwarding.failed()
        assert set(visited) == {"/aggregates"}
        assert "secret" not in forwarding.analytics.last_error


async def test_an_endless_body_after_success_is_read_to_a_bound(start_forwarding: StartForwarding) -> None:
    written = 0
    closed = asyncio.Event()

    async def endless(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        nonlocal written
        await server.take(request)
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
                written += 65_536
        finally:
            closed.set()

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = endless
        await forwarding.forwarded(await forwarding.feed())
        async with asyncio.timeout(30):
            await closed.wait()
        assert list(server.seen.values()) == [1]
        assert written < 64 * 1024 * 1024


async def test_a_slow_body_after_success_does_not_delay_the_next_flush(
    start_forwarding: StartForwarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "RESPONSE_BODY_TIMEOUT", 0.05)

    async def drip(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        await server.take(request)
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        await response.write(b"x")
        await server.released.wait()
        return response

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = drip
        for _ in range(3):
            await forwarding.forwarded(await forwarding.feed())
        assert server.logs == forwarding.sent
        assert set(server.seen.values()) == {1}


async def test_the_lane_waits_for_retry_after(start_forwarding: StartForwarding) -> None:
    async def later(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "120"})

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = later
        sequence = await forwarding.feed()
        await asyncio.wait_for(server.hit.wait(), 30)
        await forwarding.stored(sequence)
        # Ten times the lane's longest pause without Retry-After, as the fixture sets it.
        await asyncio.sleep(2)
        assert forwarding.analytics.attempts == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None), ("", None), ("soon", None), ("nan", None), ("inf", None), ("-5", 0.0), ("7", 7.0), ("1.5", 1.5),
        ("1000000000000", MAX_RETRY_AFTER), (formatdate(0, usegmt=True), 0.0),
        (formatdate(4_000_000_000, usegmt=True), MAX_RETRY_AFTER),
    ],
)  # fmt: skip
def test_retry_after_is_bounded(header: str | None, wait: float | None) -> None:
    assert retry_after_seconds(header) == wait


async def test_shutdown_does_not_wait_for_a_service_that_never_responds(start_forwarding: StartForwarding) -> None:
    async with broken.talking(broken.never_answer) as url:
        loop = asyncio.get_running_loop()
        async with start_forwarding(url, "timeout = 300") as forwarding:
            await forwarding.stored(await forwarding.feed())
            ended = loop.time()
        assert loop.time() - ended < 30
