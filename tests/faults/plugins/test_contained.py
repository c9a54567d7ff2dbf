"""A plugin that misbehaves costs nobody else anything: every good request is answered, quickly, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.plugins.under_load import Bench, measure

pytestmark = [pytest.mark.serial]

DOOR = ["raises", "garbles", "garbles_deeply"]
STAGE = ["raises", "exits", "recurses", "garbles", "garbles_one", "garbles_deeply", "is_slow"]
SINK = ["raises", "exits", "recurses", "changes", "assigns", "waits", "does_not_end"]
ISOLATED = ["garbles", "hangs", "dies", "eats", "prints"]

HARMLESS = {"is_slow", "prints"}
"""Nothing of these reaches anybody, so nobody needs to be told."""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Bench]]:
    benches: list[Bench] = []
    yield benches
    for bench in benches:
        bench.service.stop()


async def _contained(bench: Bench) -> None:
    bench.service.start()
    await measure(bench)
    how = bench.service.plugins_file.read_text()
    if not any(f'how = "{harmless}"' in how for harmless in HARMLESS):
        await bench.until_complaint()
        named = [entry for entry in bench.events("") if "bad" in (entry.get("plugin"), entry.get("sink"))]
        assert named, f"the log does not name the plugin:\n{bench.service.read_output()}"
    assert bench.failed == [], "good requests were not answered well"
    assert bench.counted() == bench.acknowledged, "acknowledged logs are missing, or counted twice"
    assert "must not be logged" not in bench.service.read_output()
    # A stage that sleeps in this process holds up everybody by that much: `isolated = true` is the way out of it.
    if 'how = "is_slow"' in how and "isolated = true" not in how:
        cost = bench.service.get("/stats")["plugins"]["bad"]
        assert cost["seconds"] >= 10 * 0.02, "the time that the plugin slept in its calls is not attributed to it"
    else:
        assert bench.slower() <= 2, "requests were answered much slower while the plugin misbehaved"


@pytest.mark.parametrize("how", DOOR)
async def test_at_the_door(tmp_path: Path, started: list[Bench], how: str) -> None:
    started.append(Bench(tmp_path, "Door", how))
    await _contained(started[0])


@pytest.mark.parametrize("how", STAGE)
async def test_in_a_stage(tmp_path: Path, started: list[Bench], how: str) -> None:
    started.append(Bench(tmp_path, "Stage", how))
    await _contained(started[0])


@pytest.mark.parametrize("how", SINK)
async def test_in_a_sink(tmp_path: Path, started: list[Bench], how: str) -> None:
    started.append(Bench(tmp_path, "Sink", how, environ={"SINK_TIMEOUT": "0.3"}))
    await _contained(started[0])
    assert "other" not in {entry.get("sink") for entry in started[0].events("sink failed")}


@pytest.mark.parametrize("how", ISOLATED)
async def test_in_a_process_of_its_own(tmp_path: Path, started: list[Bench], how: str) -> None:
    options = "isolated = true\nisolated_deadline = 0.3\nisolated_memory_mib = 1024\n"
    started.append(Bench(tmp_path, "Stage", how, options))
    await _contained(started[0])
