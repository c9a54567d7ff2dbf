"""The tests of misbehaving plugins can fail: each of these bugs, put in on purpose, is seen by what they look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.plugins.test_attributed import WITHIN, _stall
from tests.faults.plugins.under_load import Bench


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Bench]]:
    benches: list[Bench] = []
    yield benches
    for bench in benches:
        bench.service.stop()


async def test_what_a_stage_raises_must_be_caught(tmp_path: Path, started: list[Bench]) -> None:
    bench = Bench(tmp_path, "Stage", "raises", mutant="uncontained")
    started.append(bench)
    bench.service.start()
    await bench.rounds(1)
    assert bench.counted() != bench.acknowledged


async def test_lanes_must_not_share_a_flush(tmp_path: Path, started: list[Bench]) -> None:
    bench = Bench(tmp_path, "Sink", "changes", mutant="shared_flush")
    started.append(bench)
    bench.service.start()
    await bench.rounds(1)
    assert "other" in {entry.get("sink") for entry in bench.events("sink failed")}


async def test_the_loop_must_be_watched(tmp_path: Path, started: list[Bench]) -> None:
    bench = Bench(tmp_path, "Stage", "blocks", mutant="unwatched")
    started.append(bench)
    bench.service.start()
    assert await _stall(bench) > WITHIN
