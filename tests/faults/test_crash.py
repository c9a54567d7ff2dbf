"""SIGKILL at random moments under load: what was acknowledged is counted, once. And the test can fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.crashing import Ready, counted, differences, load_and_kill, make_clients, shows
from tests.support.service import ServiceProcess

PIPELINE = "[plugins.sqlite]\n"
# Small flushes, often: more transactions for a kill to hit.
ENVIRON = {"AGGREGATION_WINDOW": "0.05"}
MUTANTS = Path(__file__).parent / "mutants"

Start = Callable[..., ServiceProcess]


@pytest.fixture
def killed(tmp_path: Path) -> Start:
    def make(command: list[str] | None = None) -> ServiceProcess:
        return ServiceProcess(tmp_path, PIPELINE, {**ENVIRON, "WINDOW": str(tmp_path / "window")}, command=command)

    return make


async def _crash(service: ServiceProcess, rounds: int, *ready: Ready) -> dict[str, int]:
    clients = make_clients()
    try:
        await load_and_kill(service, clients, rounds, *ready)
        wrong = differences(service, clients)
        if not ready:  # a mutant may go on storing after the flush
            patterns = service.get("/patterns?limit=1000")["patterns"]
            assert sum(pattern["count"] for pattern in patterns) == counted(service).total()
        assert all(client.acknowledged for client in clients)
    finally:
        service.stop()
    return wrong


@pytest.mark.slow
async def test_what_was_acknowledged_is_counted_once(killed: Start) -> None:
    assert await _crash(killed(), rounds=8) == {}


@pytest.mark.chaos
@pytest.mark.slow
async def test_many_more_kills(killed: Start) -> None:
    rounds = int(os.environ.get("CHAOS_KILLS", "0"))
    if not rounds:
        pytest.skip("long: `make chaos` runs it; the test above is its small form")
    assert await _crash(killed(), rounds) == {}


@pytest.mark.parametrize(
    ("mutant", "sign"), [("acknowledge_before_commit", -1), ("progress_after_commit", +1)], ids=["lost", "twice"]
)
@pytest.mark.slow
async def test_the_crash_test_catches(killed: Start, tmp_path: Path, mutant: str, sign: int) -> None:
    service = killed([sys.executable, str(MUTANTS / f"{mutant}.py")])
    wrong = await _crash(service, 2, shows(tmp_path / "window", sign))
    assert wrong, f"{mutant} was not noticed: this test proves nothing"
    assert all(difference * sign > 0 for difference in wrong.values())
