"""Through the real service: what is sent adds up exactly, over retries, restarts, pieces and losses."""

from __future__ import annotations

import time
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.sinks import Anomaly
from log_aggregator_analytics import AnalyticsConfig, AnalyticsSink
from plugins.analytics.tests.conftest import StartFlow
from plugins.analytics.tests.made import aggregate, flush
from plugins.analytics.tests.receiver import Receiver, receiving


async def test_every_flush_arrives_once_and_compressed(start_flow: StartFlow) -> None:
    encodings = set()

    async def look(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        encodings.add(request.headers["Content-Encoding"])
        return await receiver.take(request)

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = look
        for _ in range(5):
            await flow.forwarded(await flow.feed())
        assert receiver.logs == flow.sent == 50
        assert sorted(receiver.seen.values()) == [1] * 5
        assert encodings == {"gzip"}
        figures = (await flow.service.stats())["plugins"]["analytics"]["figures"]
        assert (figures["flushes"], figures["requests"], figures["answers"]) == (5, 5, {"202": 5})


async def test_anomalies_ride_along(start_flow: StartFlow) -> None:
    async with receiving() as receiver, start_flow(receiver.url) as flow:
        flow.service.pipeline.emit(
            Anomaly("a1", "silence", "open", "recorded", "", "", "", "app", 1_000_000, 2_000_000, 0.5)
        )
        await flow.forwarded(await flow.feed())
        (batch,) = receiver.batches.values()
        assert [one["id"] for one in batch["anomalies"]] == ["a1"]


async def test_a_lost_answer_means_a_second_request_with_the_same_key(start_flow: StartFlow) -> None:
    async def take_and_hang_up(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        await receiver.take(request)
        receiver.fault = None
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = take_and_hang_up
        await flow.forwarded(await flow.feed())
        assert list(receiver.seen.values()) == [2]
        assert receiver.logs == flow.sent


async def test_a_restart_in_an_outage_keeps_flushes_and_their_keys(start_flow: StartFlow) -> None:
    tried: list[str] = []

    async def fail(request: web.Request, _: Receiver) -> web.StreamResponse:
        tried.append(request.headers["Idempotency-Key"])
        return web.Response(status=503)

    async with receiving() as receiver:
        receiver.fault = fail
        async with start_flow(receiver.url) as flow:
            for _ in range(3):
                await flow.feed()
            await flow.failed()
            sent = flow.sent
        receiver.fault = None
        async with start_flow(receiver.url) as flow:
            await flow.forwarded(await flow.feed())
            assert receiver.logs == sent + flow.sent
            assert set(tried) <= set(receiver.batches)
            assert set(receiver.seen.values()) == {1}


async def test_a_large_flush_goes_in_pieces_and_goes_on_where_it_failed(start_flow: StartFlow) -> None:
    async def fail_the_third(request: web.Request, receiver: Receiver) -> web.StreamResponse:
        if len(receiver.batches) == 2:
            receiver.fault = None
            return web.Response(status=500)
        return await receiver.take(request)

    async with receiving() as receiver, start_flow(receiver.url, "max_request_bytes = 16384") as flow:
        receiver.fault = fail_the_third
        await flow.forwarded(await flow.feed(logs=600, kinds=300))
        batches = sorted((batch["batch"] for batch in receiver.batches.values()), key=lambda one: one["first_item"])
        assert len(batches) > 4
        assert set(receiver.seen.values()) == {1}
        assert receiver.logs == flow.sent == batches[0]["logs"]
        assert [one["last"] for one in batches] == [False] * (len(batches) - 1) + [True]


async def test_a_full_backlog_drops_the_oldest_and_every_lost_log_is_counted(
    start_flow: StartFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("log_aggregator.delivery.lane.BACKLOG_GROUPS", 20)

    async def fail(_: web.Request, __: Receiver) -> web.StreamResponse:
        return web.Response(status=503)

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = fail
        for _ in range(20):
            sequence = await flow.feed()
            await flow.failed()
            assert (await flow.analytics.waiting()).groups <= 20 + 9
        receiver.fault = None
        await flow.forwarded(sequence)
        lost = flow.analytics.figures()["lost_logs"]
        assert 0 < lost < flow.sent
        assert receiver.logs + lost == flow.sent


async def test_a_waiting_backlog_is_merged(start_flow: StartFlow) -> None:
    async def fail(_: web.Request, __: Receiver) -> web.StreamResponse:
        return web.Response(status=503)

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = fail
        for _ in range(200):
            sequence = await flow.feed()
        receiver.fault = None
        await flow.forwarded(sequence)
        assert receiver.logs == flow.sent == 2000
        assert len(receiver.batches) < 150


async def test_a_body_refused_for_good_is_dropped_and_counted(start_flow: StartFlow) -> None:
    async def refuse(_: web.Request, receiver: Receiver) -> web.StreamResponse:
        receiver.fault = None
        return web.Response(status=422)

    async with receiving() as receiver, start_flow(receiver.url) as flow:
        receiver.fault = refuse
        await flow.forwarded(await flow.feed(logs=7))
        await flow.forwarded(await flow.feed(logs=5))
        assert flow.analytics.figures()["lost_logs"] == 7
        assert receiver.logs == 5


async def test_a_required_sink_keeps_what_is_refused(start_flow: StartFlow) -> None:
    async def refuse(_: web.Request, __: Receiver) -> web.StreamResponse:
        return web.Response(status=400)

    async with receiving() as receiver, start_flow(receiver.url, required="true") as flow:
        receiver.fault = refuse
        sequence = await flow.feed()
        await flow.failed()
        assert flow.analytics.state == "stopped"
        receiver.fault = None
        await flow.forwarded(sequence)
        assert receiver.logs == flow.sent


async def test_trends_are_sent_and_begin_anew_after_a_loss() -> None:
    bucket = int(time.time()) // 300 * 300 + 600
    async with receiving() as receiver:
        sink = AnalyticsSink(AnalyticsConfig(url=receiver.url))
        service = SimpleNamespace(settings=Settings(), add_stats=lambda *_: None)
        async with sink.lifespan(service):  # type: ignore[arg-type]  the part of the handle that it uses
            await sink.on_flush(flush(aggregate(count=5, bucket=bucket)))
            await sink.on_flush(flush(aggregate(count=3, bucket=bucket + 300), sequence=2))
            lossy = flush(aggregate(count=3, bucket=bucket + 600), sequence=4, lost=True)
            await sink.on_flush(msgspec.structs.replace(lossy, sealed=(bucket + 700) * 1_000_000))
        trends = [
            [(one["count"], one["previous_count"]) for one in batch["trends"]] for batch in receiver.batches.values()
        ]
    assert trends == [[(5, 0)], [(3, 5)], []]
