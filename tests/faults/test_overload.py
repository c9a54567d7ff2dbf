"""More than the service can take: every request is answered, nothing acknowledged is lost, memory stays bounded.

`OVERLOAD_SECONDS` makes it longer: a minute shows more than the few seconds of `make test`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.faults.wire import batch, get, leave, read_answer
from tests.support.service import ServiceProcess

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "6"))
SENDERS = 48
GROWTH = 256 * 1024 * 1024
LOGS = 200


def request(sender: int) -> bytes:
    logs = [{"message": f"User {sender}{n} logged in", "source": f"app-{sender % 5}"} for n in range(LOGS)]
    return batch(json.dumps({"logs": logs}))


async def send(port: int, sender: int, until: float, statuses: Counter[int]) -> int:
    """Send without pause on one connection; returns how many logs were acknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted = 0
    body = request(sender)
    try:
        while time.monotonic() < until:
            writer.write(body)
            async with asyncio.timeout(60):
                answer = await read_answer(reader)
            statuses[answer.status] += 1
            if answer.status == 202:
                accepted += answer.document["accepted"]
            else:
                assert int(answer.headers["retry-after"]) >= 1
    finally:
        await leave(writer)
    return accepted


async def ask_health(port: int, until: float) -> list[float]:
    """Ask for health all along; returns how long each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    try:
        while time.monotonic() < until:
            began = time.monotonic()
            writer.write(get("/health"))
            async with asyncio.timeout(30):
                assert (await read_answer(reader)).status in (200, 503)
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
    finally:
        await leave(writer)
    return took


@pytest.mark.serial
async def test_overload(tmp_path: Path) -> None:
    # A short queue: what comes beyond it is refused within seconds on any machine.
    service = ServiceProcess(tmp_path, environ={"QUEUE_MAX_RECORDS": "2000"}).start()
    try:
        port = int(service.url.rsplit(":", 1)[1])
        process = psutil.Process(service.running.pid)
        before = process.memory_info().rss
        until = time.monotonic() + SECONDS
        statuses: Counter[int] = Counter()
        senders = [send(port, sender, until, statuses) for sender in range(SENDERS)]
        took, *accepted = await asyncio.gather(ask_health(port, until), *senders)
        grown = process.memory_info().rss - before
        health = sorted(took)  # type: ignore[call-overload]  # gather knows one type only
        print(
            f"answers {dict(statuses)}, health median {health[len(health) // 2] * 1000:.0f} ms, grown {grown >> 20} MiB"
        )
        assert set(statuses) <= {202, 429, 503}
        assert statuses[503] > 0, "this was no overload"
        assert statuses[202] > 0
        assert grown < GROWTH
        await flushed(service)
        stored = sum(pattern["count"] for pattern in service.get("/patterns?limit=1000")["patterns"])
        assert stored == sum(accepted)  # type: ignore[arg-type]  # as above
    finally:
        service.stop()


async def flushed(service: ServiceProcess) -> None:
    """Wait until the store has everything."""
    for _ in range(30):
        answer = await asyncio.to_thread(service.request, "POST", "/flush?deadline=10")
        if answer[1].get("sealed", True) and all(sink["outcome"] == "stored" for sink in answer[1]["sinks"].values()):
            return
    raise AssertionError("the store did not catch up")
