"""Through the real service: the counts sent are exact over retries, restarts, pieces and losses."""

from __future__ import annotations

import time
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.sinks import Anomaly
from log_aggregator_analytics import AnalyticsConfig, AnalyticsSink
from plugins.analytics.tests.analytics_server import AnalyticsServer, run_analytics_server
from plugins.analytics.tests.conftest import StartForwarding
from plugins.analytics.tests.factories import aggregate, flush


async def test_every_flush_arrives_once_and_compressed(start_forwarding: StartForwarding) -> None:
    encodings = set()

    async def look(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        encodings.add(request.headers["Content-Encoding"])
        return await server.take(request)

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = look
        for _ in range(5):
            await forwarding.forwarded(await forwarding.feed())
        assert server.logs == forwarding.sent == 50
        assert sorted(server.seen.values()) == [1] * 5
        assert encodings == {"gzip"}
        figures = (await forwarding.service.stats())["plugins"]["analytics"]["figures"]
        assert (figures["flushes"], figures["requests"], figures["answers"]) == (5, 5, {"202": 5})


async def test_anomalies_are_sent_with_the_flush(start_forwarding: StartForwarding) -> None:
    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        forwarding.service.runtime.aggregator.emit(
            Anomaly("a1", "silence", "open", "recorded", "", "", "", "app", 1_000_000, 2_000_000, 0.5)
        )
        await forwarding.forwarded(await forwarding.feed())
        (batch,) = server.batches.values()
        assert [one["id"] for one in batch["anomalies"]] == ["a1"]


async def test_a_lost_response_is_retried_with_the_same_key(start_forwarding: StartForwarding) -> None:
    async def take_and_hang_up(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        await server.take(request)
        server.fault = None
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = take_and_hang_up
        await forwarding.forwarded(await forwarding.feed())
        assert list(server.seen.values()) == [2]
        assert server.logs == forwarding.sent


async def test_a_restart_during_an_outage_keeps_flushes_and_their_keys(start_forwarding: StartForwarding) -> None:
    tried: list[str] = []

    async def fail(request: web.Request, _: AnalyticsServer) -> web.StreamResponse:
        tried.append(request.headers["Idempotency-Key"])
        return web.Response(status=503)

    async with run_analytics_server() as server:
        server.fault = fail
        async with start_forwarding(server.url) as forwarding:
            for _ in range(3):
                await forwarding.feed()
            await forwarding.failed()
            sent = forwarding.sent
        server.fault = None
        async with start_forwarding(server.url) as forwarding:
            await forwarding.forwarded(await forwarding.feed())
            assert server.logs == sent + forwarding.sent
            assert set(tried) <= set(server.batches)
            assert set(server.seen.values()) == {1}


async def test_a_large_flush_is_split_and_resumes_at_the_failed_piece(start_forwarding: StartForwarding) -> None:
    async def fail_the_third(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        if len(server.batches) == 2:
            server.fault = None
            return web.Response(status=500)
        return await server.take(request)

    async with (
        run_analytics_server() as server,
        start_forwarding(server.url, "max_request_bytes = 16384") as forwarding,
    ):
        server.fault = fail_the_third
        await forwarding.forwarded(await forwarding.feed(logs=600, kinds=300))
        batches = sorted((batch["batch"] for batch in server.batches.values()), key=lambda one: one["first_item"])
        assert len(batches) > 4
        assert set(server.seen.values()) == {1}
        assert server.logs == forwarding.sent == batches[0]["logs"]
        assert [one["last"] for one in batches] == [False] * (len(batches) - 1) + [True]


async def test_a_full_backlog_drops_the_oldest_and_every_lost_log_is_counted(
    start_forwarding: StartForwarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("log_aggregator.delivery.lane.BACKLOG_GROUPS", 20)

    async def fail(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
        return web.Response(status=503)

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = fail
        for _ in range(20):
            sequence = await forwarding.feed()
            await forwarding.failed()
            assert (await forwarding.analytics.waiting()).groups <= 20 + 9
        server.fault = None
        await forwarding.forwarded(sequence)
        lost = forwarding.analytics.stats()["lost_logs"]
        assert 0 < lost < forwarding.sent
        assert server.logs + lost == forwarding.sent


async def test_a_backlog_is_merged(start_forwarding: StartForwarding) -> None:
    async def fail(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
        return web.Response(status=503)

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = fail
        for _ in range(200):
            sequence = await forwarding.feed()
        server.fault = None
        await forwarding.forwarded(sequence)
        assert server.logs == forwarding.sent == 2000
        assert len(server.batches) < 150


async def test_a_permanently_rejected_body_is_dropped_and_counted(start_forwarding: StartForwarding) -> None:
    async def refuse(_: web.Request, server: AnalyticsServer) -> web.StreamResponse:
        server.fault = None
        return web.Response(status=422)

    async with run_analytics_server() as server, start_forwarding(server.url) as forwarding:
        server.fault = refuse
        await forwarding.forwarded(await forwarding.feed(logs=7))
        await forwarding.forwarded(await forwarding.feed(logs=5))
        assert forwarding.analytics.stats()["lost_logs"] == 7
        assert server.logs == 5


async def test_a_required_sink_keeps_rejected_flushes(start_forwarding: StartForwarding) -> None:
    async def refuse(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
        return web.Response(status=400)

    async with run_analytics_server() as server, start_forwarding(server.url, required="true") as forwarding:
        server.fault = refuse
        sequence = await forwarding.feed()
        await forwarding.failed()
        assert forwarding.analytics.state == "stopped"
        server.fault = None
        await forwarding.forwarded(sequence)
        assert server.logs == forwarding.sent


async def test_trends_are_sent_and_restart_after_a_loss() -> None:
    bucket = int(time.time()) // 300 * 300 + 600
    async with run_analytics_server() as server:
        sink = AnalyticsSink(AnalyticsConfig(url=server.url))
        service = SimpleNamespace(settings=Settings(), add_stats=lambda *_: None)
        async with sink.lifespan(service):  # type: ignore[arg-type]  the part of the handle that it uses
            await sink.on_flush(flush(aggregate(count=5, bucket=bucket)))
            await sink.on_flush(flush(aggregate(count=3, bucket=bucket + 300), sequence=2))
            lossy = flush(aggregate(count=3, bucket=bucket + 600), sequence=4, lost=True)
            await sink.on_flush(msgspec.structs.replace(lossy, sealed=(bucket + 700) * 1_000_000))
        trends = [
            [(one["count"], one["previous_count"]) for one in batch["trends"]] for batch in server.batches.values()
        ]
    assert trends == [[(5, 0)], [(3, 5)], []]
