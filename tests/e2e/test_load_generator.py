"""The load generator of the benchmarks: what it says it has sent is what a server has seen."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate

import pytest
from aiohttp import web

from tests.bench.load import Load, Told, run
from tests.bench.redraw import Redraw
from tests.bench.targets import made_up


@asynccontextmanager
async def serving(refuse: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that refuses so many requests before it takes any; its address, and the bodies it took."""
    taken: list[bytes] = []
    refused = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal refused
        body = await request.read()
        if refused < refuse:
            refused += 1
            return web.Response(status=503, headers={"Retry-After": "0.01"})
        taken.append(body)
        return web.json_response({"accepted": len(json.loads(body)["logs"])}, status=202)

    app = web.Application()
    app.router.add_post("/ingest/batch", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/ingest/batch", taken
    finally:
        await runner.cleanup()


async def test_each_body_is_sent_once_and_again_when_it_was_refused() -> None:
    bodies = made_up.bodies(40, 5)
    async with serving(refuse=7) as (url, taken):
        outcome = await asyncio.to_thread(run, Load(url, bodies, 6, 60.0, requests=40))
    assert Counter(taken) == Counter(bodies)
    assert (outcome.requests, outcome.failed, outcome.accepted) == (40, 7, 200)
    assert outcome.p50 <= outcome.p99 <= outcome.p999
    assert outcome.cpu > 0


async def test_what_is_refused_is_not_counted_as_sent() -> None:
    async with serving(refuse=1_000_000) as (url, taken):
        outcome = await asyncio.to_thread(run, Load(url, made_up.bodies(1, 5), 2, 0.3))
    assert (outcome.requests, outcome.accepted, taken) == (0, 0, [])
    assert outcome.failed > 0


async def test_requests_come_at_the_rate_that_was_asked_for() -> None:
    async with serving(refuse=0) as (url, taken):
        outcome = await asyncio.to_thread(run, Load(url, made_up.bodies(3, 1), 4, 0.99, rate=50.0))
    assert outcome.requests == len(taken) == 50


async def test_who_listens_is_told_of_every_request_once() -> None:
    async with serving(refuse=0) as (url, taken):
        told: list[Told] = []
        load = Load(url, made_up.bodies(3, 5), 4, 1.0, rate=50.0, tell_every=0.1)
        outcome = await asyncio.to_thread(run, load, None, told.append)
    assert len(told) >= 3
    assert [so_far.requests for so_far in told] == list(accumulate(len(so_far.latencies) for so_far in told))
    assert [so_far.accepted for so_far in told] == [so_far.requests * 5 for so_far in told]
    assert told[-1].requests <= outcome.requests == len(taken)
    assert max(so_far.seconds for so_far in told) <= outcome.seconds
    busy = next(so_far for so_far in told if so_far.latencies)
    assert min(busy.latencies) * 1000 <= busy.latency_ms(0.5) <= busy.latency_ms(1.0) == max(busy.latencies) * 1000


async def test_a_server_that_goes_away_is_an_error() -> None:
    async with serving(refuse=0) as (url, _):
        pass
    with pytest.raises(RuntimeError, match="died"):
        await asyncio.to_thread(run, Load(url, made_up.bodies(1, 1), 1, 0.3))


def test_digits_are_drawn_anew_in_messages_alone() -> None:
    body = rb'{"logs":[{"message":"user 12345678 \u0007\n at \"99\" 1234","level":"L1","source":"web-2"}]}'
    drawn = iter(Redraw([b"Content-Length: 95\r\n\r\n" + body]))
    seen = [next(drawn) for _ in range(50)]
    assert len(set(seen)) == 50
    for request in seen:
        head, _, sent = request.partition(b"\r\n\r\n")
        (log,) = json.loads(sent)["logs"]
        assert (head, len(sent)) == (b"Content-Length: 95", len(body))
        assert (log["level"], log["source"]) == ("L1", "web-2")
        assert "\x07\n at " in log["message"]


def test_made_up_logs_are_all_different_and_of_so_many_templates() -> None:
    logs = list(made_up.logs(2 * made_up.PATTERNS))
    assert len({log["message"] for log in logs}) == len(logs)
    assert len({log["message"] for log in made_up.templates()}) == made_up.PATTERNS
