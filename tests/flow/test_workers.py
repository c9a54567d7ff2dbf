"""Several processes on one port: one answer for all, one store, and a worker that dies costs nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import psutil

from tests.faults.crashing import counted, differences, make_clients
from tests.servers.service import ServiceProcess

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.trends]\n"
StartService = Callable[..., ServiceProcess]


def workers_of(service: ServiceProcess) -> list[psutil.Process]:
    """The worker processes, in no order."""
    return psutil.Process(service.running.pid).children()


async def post_over_many_connections(service: ServiceProcess, requests: int) -> None:
    """One log a connection, so that every worker gets some."""

    async def post(number: int) -> None:
        async with aiohttp.ClientSession() as session:
            body = {"message": f"User {number} logged in", "source": "web", "level": "ERROR" if number % 2 else "INFO"}
            async with session.post(f"{service.url}/ingest", json=body) as answer:
                assert answer.status == 202

    for start in range(0, requests, 20):
        await asyncio.gather(*(post(start + offset) for offset in range(20)))


async def test_every_answer_speaks_for_all_workers(start_service: StartService) -> None:
    service = start_service(PIPELINE, {"WORKERS": "2", "AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "100000"})
    await post_over_many_connections(service, 200)
    flushed: Any = service.post("/flush")[1]
    assert (flushed["sealed"], flushed["sinks"]["sqlite"]) == (True, {"outcome": "stored"})
    stats = service.get("/stats")
    assert stats["workers"] == 2
    assert stats["logs"]["accepted"] == stats["logs"]["aggregated"] == 200
    assert stats["logs"]["errors_by_source"] == {"web": 100}
    patterns = service.get("/patterns")["patterns"]
    assert [(pattern["pattern"], pattern["count"]) for pattern in patterns] == [("User {ID} logged in", 200)]
    assert service.get("/health")["status"] == "healthy"
    assert service.terminate() == 0


async def test_a_worker_that_dies_is_replaced_and_nothing_acknowledged_is_lost(start_service: StartService) -> None:
    service = start_service("[plugins.sqlite]\n", {"WORKERS": "2", "AGGREGATION_WINDOW": "0.05"})
    clients = make_clients()
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        for _ in range(4):
            senders = [asyncio.create_task(client.send_until_broken(session, service.url)) for client in clients]
            await asyncio.sleep(0.3)
            victim = workers_of(service)[0]
            os.kill(victim.pid, signal.SIGKILL)
            done, _ = await asyncio.wait(senders, timeout=3)
            for sender in set(senders) - done:
                sender.cancel()
            cancelled = await asyncio.gather(*senders, return_exceptions=True)
            assert all(outcome is None or isinstance(outcome, asyncio.CancelledError) for outcome in cancelled)
            while len(workers_of(service)) < 2:
                assert time.monotonic() < deadline, "the worker was not replaced"
                await asyncio.sleep(0.05)
        for client in clients:
            await client.settle(session, service.url)
    while service.get("/stats")["workers"] < 2:
        assert time.monotonic() < deadline, "the worker that was replaced last does not answer"
        await asyncio.sleep(0.05)
    service.post("/flush")
    assert service.terminate() == 0
    assert differences(service, clients) == {}


async def test_fewer_workers_bring_in_what_more_have_left(start_service: StartService) -> None:
    service = start_service(
        "[plugins.sqlite]\n", {"WORKERS": "3", "AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "100000"}
    )
    await post_over_many_connections(service, 120)
    for worker in workers_of(service):
        worker.kill()
    service.kill()
    for worker in psutil.process_iter(["environ"]):  # whoever outlived its parent
        if str(service.data_dir) in ((worker.info["environ"] or {}).get("DATA_DIR") or ""):
            worker.kill()
    service.environ["WORKERS"] = "1"
    service.start()
    service.post("/flush")
    assert counted(service) == Counter(web=120)
