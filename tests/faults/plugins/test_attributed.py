"""A plugin that holds up the event loop is named within a second: while it does, or as soon as a thread can run."""

from __future__ import annotations

import asyncio
import calendar
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.plugins.under_load import DEADLINE, Bench

WITHIN = 1.0
"""Seconds from the beginning of a stall to the line in the log that names the plugin."""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Bench]]:
    benches: list[Bench] = []
    yield benches
    for bench in benches:
        bench.service.stop()


async def _stall(bench: Bench) -> float:
    """Let it stall once; seconds until the plugin was named. All good requests are answered in the end."""
    began = bench.switch.with_suffix(".began")
    began.unlink(missing_ok=True)
    known = len(bench.events("holds up the event loop"))
    bench.switch.touch()
    logs = {"logs": [{"message": "job 1", "source": "load"}]}
    status, _ = await asyncio.to_thread(bench.service.post, "/ingest/batch", logs)
    assert status == 202
    bench.acknowledged += 1
    async with asyncio.timeout(DEADLINE):
        while len(bench.events("holds up the event loop")) == known:
            await asyncio.sleep(0.05)
    event = bench.events("holds up the event loop")[-1]
    assert event["plugin"] == "bad"
    return _seconds(event["time"]) - float(began.read_text())


def _seconds(text: str) -> float:
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + int(text[20:23]) / 1000


@pytest.mark.parametrize("kind", ["Door", "Stage", "Sink"])
async def test_a_stall_is_attributed_while_it_lasts(tmp_path: Path, started: list[Bench], kind: str) -> None:
    bench = Bench(tmp_path, kind, "blocks")
    started.append(bench)
    bench.service.start()
    took = [await _stall(bench) for _ in range(2)]
    assert min(took) < WITHIN
    assert "held up the event loop" in bench.complaint() or "on the event loop" in bench.complaint()
    assert bench.counted() == bench.acknowledged


@pytest.mark.parametrize("kind", ["Door", "Stage", "Sink"])
async def test_a_stall_that_stops_every_thread_is_attributed_when_it_ends(
    tmp_path: Path, started: list[Bench], kind: str
) -> None:
    bench = Bench(tmp_path, kind, "backtracks")
    started.append(bench)
    bench.service.start()
    await _stall(bench)
    async with asyncio.timeout(DEADLINE):
        while not bench.events("held up the service"):
            await asyncio.sleep(0.05)
    assert bench.events("held up the service")[-1]["seconds"] > 0.5
    assert bench.counted() == bench.acknowledged


async def test_the_circuit_of_one_that_keeps_doing_it_opens(tmp_path: Path, started: list[Bench]) -> None:
    bench = Bench(tmp_path, "Stage", "blocks")
    started.append(bench)
    bench.service.start()
    for _ in range(5):
        await _stall(bench)
    assert "left out" in bench.complaint()
    bench.switch.touch()
    assert bench.service.post("/ingest", {"message": "job 1", "source": "load"})[0] == 202
    bench.acknowledged += 1
    bench.service.post("/flush", {})
    assert bench.switch.exists(), "the plugin was called although its circuit is open"
    assert bench.counted() == bench.acknowledged
