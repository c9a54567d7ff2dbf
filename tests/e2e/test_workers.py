"""Several processes on one port: one answer for all, one store, and a worker that dies costs nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from tests.faults.crashing import counted, differences, make_clients
from tests.support.service import ServiceProcess

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.trends]\n"
DEADLINE = 240.0
SENDERS, FEWEST, ATTEMPTS = 16, 3, 5
"""Connections opened at once, and how many of them each of two workers has at least. It should be 8; the rest is
for a machine that stands still for so long that a worker gives the other one up."""

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


async def test_every_worker_answers_the_calls_of_a_plugin_with_one_instance(start_service: StartService) -> None:
    targets = '[[plugins.trends.targets]]\nurl = "http://127.0.0.1:9/hook"\n'
    service = start_service(PIPELINE + targets, {"WORKERS": "2", "AGGREGATION_WINDOW": "3600"})
    rule = {"search": "level:error", "more_than": 3, "by": "anna"}
    made = service.post("/rules", rule)[1]

    async def ask() -> tuple[int, list[str], int]:
        async with aiohttp.ClientSession(service.url) as session:
            async with session.post("/notify-test") as answer:
                status, document = answer.status, await answer.json()
            async with session.get("/rules") as answer:
                rules = (await answer.json())["rules"]
            async with session.delete("/rules/0123456789abcdef") as answer:
                return status, [target["name"] for target in document["targets"]] + [rules[0]["by"]], answer.status

    # Some connections reach the worker that does not have the plugin.
    answers = await asyncio.gather(*(ask() for _ in range(SENDERS)))
    assert answers == [(200, ["webhook:127.0.0.1", "anna"], 404)] * SENDERS
    assert service.request("DELETE", f"/rules/{made['id']}")[0] == 204
    assert service.get("/rules") == {"rules": []}


async def test_a_worker_that_dies_is_replaced_and_nothing_acknowledged_is_lost(start_service: StartService) -> None:
    service = start_service("[plugins.sqlite]\n", {"WORKERS": "2", "AGGREGATION_WINDOW": "0.05"})
    clients = make_clients()
    deadline = time.monotonic() + DEADLINE
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


class Sender:
    """A connection that stays open, with one request on its way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def answered(self) -> None:
        """Wait for the answer: the connection belongs to a worker then."""
        assert (await self._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202 ")


@asynccontextmanager
async def senders_of(service: ServiceProcess) -> AsyncIterator[list[Sender]]:
    """`SENDERS` connections opened at once, each with a log on its way."""
    address = urlsplit(service.url)
    opening = (asyncio.open_connection(address.hostname, address.port) for _ in range(SENDERS))
    senders = [Sender(*streams) for streams in await asyncio.gather(*opening)]
    head = f"POST /ingest HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    try:
        for sender in senders:
            sender.writer.write(f'{head}Content-Length: 17\r\n\r\n{{"message": "hi"}}'.encode())
        yield senders
    finally:
        for sender in senders:
            sender.writer.transport.abort()


def shares_of(service: ServiceProcess) -> list[int]:
    """How many open connections each worker has."""
    port = urlsplit(service.url).port
    return [
        sum(c.status == psutil.CONN_ESTABLISHED and c.laddr.port == port for c in worker.net_connections("tcp"))
        for worker in workers_of(service)
    ]


async def wait_for_all(service: ServiceProcess) -> None:
    """Until both workers answer and no connection of before is left."""
    deadline = time.monotonic() + DEADLINE
    while (await asyncio.to_thread(service.get, "/stats"))["workers"] < 2 or any(shares_of(service)):
        assert time.monotonic() < deadline, "not all workers answer"
        await asyncio.sleep(0.05)


async def share_beside_a_busy_worker(service: ServiceProcess, busy: int) -> list[int]:
    """Open connections while one of the workers does not come to take any; the shares when it has come."""
    await wait_for_all(service)
    worker = workers_of(service)[busy]
    worker.suspend()
    try:
        async with asyncio.timeout(DEADLINE), senders_of(service) as senders:
            answers = [asyncio.create_task(sender.answered()) for sender in senders]
            await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.2)  # the other one could take all of them now
            worker.resume()
            await asyncio.gather(*answers)
            return shares_of(service)
    finally:
        worker.resume()


async def assert_shared(service: ServiceProcess) -> None:
    """One attempt in a few must do: on a machine that stands still for seconds, the busy worker is given up."""
    attempts = []
    for attempt in range(ATTEMPTS):
        attempts.append(await share_beside_a_busy_worker(service, attempt % 2))
        if min(attempts[-1]) >= FEWEST:
            return
    pytest.fail(f"connections of each worker: {attempts}")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_connections_opened_at_once_are_shared(start_service: StartService, host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    service = start_service("", {"WORKERS": "2", "HOST": host})
    await assert_shared(service)
    assert service.terminate() == 0


async def test_a_worker_that_is_stuck_keeps_no_connection_waiting_for_ever(start_service: StartService) -> None:
    service = start_service("", {"WORKERS": "2"})
    await wait_for_all(service)
    worker = workers_of(service)[0]
    worker.suspend()
    try:
        async with asyncio.timeout(DEADLINE), senders_of(service) as senders:
            await asyncio.gather(*(sender.answered() for sender in senders))
            assert shares_of(service) == [0, SENDERS]
    finally:
        worker.resume()
    await assert_shared(service)
    assert service.terminate() == 0


async def test_the_one_that_is_left_takes_all_until_the_dead_one_is_replaced(start_service: StartService) -> None:
    service = start_service("", {"WORKERS": "2"})
    await wait_for_all(service)
    workers_of(service)[1].kill()
    async with asyncio.timeout(DEADLINE), senders_of(service) as senders:
        await asyncio.gather(*(sender.answered() for sender in senders))
    await assert_shared(service)
    assert service.terminate() == 0


def has_ipv6() -> bool:
    """Whether the loopback address of IPv6 can be bound."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True
