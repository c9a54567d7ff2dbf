"""An edge and its hub, killed with SIGKILL while answers are cut: each log is counted once. And the test can fail."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.edges import HUB, edge, held, made_logs
from tests.support.link import Link
from tests.support.service import ServiceProcess

MUTANT = Path(__file__).parent / "mutants/edge_forgets_its_chain.py"
DEADLINE = 120.0
ROUNDS = ("edge", "hub", "both")
LOGS = 40
QUICK = {"AGGREGATION_WINDOW": "0.05"}


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.02)


def _port(service: ServiceProcess) -> tuple[str, int]:
    return "127.0.0.1", int(service.url.rpartition(":")[2])


def _end(service: ServiceProcess) -> None:
    if service.process is not None and service.process.poll() is None:
        service.kill()


def _figures(service: ServiceProcess, plugin: str) -> dict[str, Any]:
    figures: dict[str, Any] = service.get("/stats")["plugins"][plugin]["figures"]
    return figures


def _stored(hub: ServiceProcess) -> int:
    hub.post("/flush")
    return sum(row.count for row in held(hub.data_dir).values())


async def _killed(tmp_path: Path, rounds: Sequence[str], command: list[str] | None = None) -> int:
    """Kill the edge, the hub or both in each round, each after the hub took a delivery of which the edge has not heard.

    What the hub has counted in the end.
    """
    for name in ("hub", "edge"):
        (tmp_path / name).mkdir()
    hub = ServiceProcess(tmp_path / "hub", HUB, QUICK)
    await asyncio.to_thread(hub.start)
    try:
        async with Link(_port(hub)) as link:
            pipeline = edge(f"http://127.0.0.1:{link.port}", window=0)
            service = ServiceProcess(tmp_path / "edge", pipeline, QUICK, command)
            try:
                await asyncio.to_thread(service.start)
                for number, victims in enumerate(rounds):
                    await _one_round(service, hub, link, number, victims)
                await _until(lambda: _figures(service, "upstream")["waiting_logs"] == 0)
                return await asyncio.to_thread(_stored, hub)
            finally:
                _end(service)
    finally:
        _end(hub)


async def _one_round(service: ServiceProcess, hub: ServiceProcess, link: Link, number: int, victims: str) -> None:
    taken = asyncio.Event()

    def cut(direction: str, data: bytes) -> int | None:
        if direction == "down" and data.startswith(b"HTTP/1.1 202"):
            taken.set()
            return 0
        return None

    link.watch = cut
    status, _ = await asyncio.to_thread(service.post, "/ingest/batch", {"logs": made_logs(LOGS, number)})
    assert status == 202
    async with asyncio.timeout(DEADLINE):
        await taken.wait()
    if victims in ("edge", "both"):
        service.kill()
    if victims in ("hub", "both"):
        hub.kill()
        await asyncio.to_thread(hub.start)
        link.target = _port(hub)
    link.watch = None
    if victims in ("edge", "both"):
        await asyncio.to_thread(service.start)


@pytest.mark.slow
async def test_each_log_is_counted_once_through_kills_and_cut_answers(tmp_path: Path) -> None:
    assert await _killed(tmp_path, ROUNDS) == LOGS * len(ROUNDS)


@pytest.mark.slow
async def test_the_test_catches_an_edge_that_forgets_its_chain(tmp_path: Path) -> None:
    counted = await _killed(tmp_path, ROUNDS[:1], [sys.executable, str(MUTANT)])
    assert counted > LOGS, "the mutant was not noticed: this test proves nothing"
