"""Power cuts: a real service is recorded, and its files are cut to what was synced, or to any part of what was not."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import psutil
import pytest

from log_aggregator_dev.harness import harness
from tests.faults.disk_trace import Event, command, read
from tests.faults.forgetful_disk import Disk
from tests.support.service import COMMAND, ServiceProcess

PIPELINE = "[plugins.sqlite]\nrollup_days = 0\nretention_days = 0\n"
CUTS = int(os.environ.get("CHAOS_CUTS", "0"))
CLIENTS, LOGS = 3, 10
BATCHES = 25 if CUTS else 6
# Small flushes, often: more transactions for a cut to hit.
QUICK = {"AGGREGATION_WINDOW": "0.05"}

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None or subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode != 0,
    reason="no strace here that may trace, which `.ci/run` installs: apt-get install strace",
)


class Recorded(NamedTuple):
    """What a service did to its disk, and the directory where it did."""

    events: list[Event]
    directory: Path


def batch(client: int, number: int) -> dict[str, Any]:
    """Long words that vary: the logs of SQLite are written back and begun anew several times."""
    chance = random.Random(f"{client} {number}")
    return {
        "logs": [{"message": f"Step {chance.randbytes(700).hex()}", "source": f"client-{client}"} for _ in range(LOGS)]
    }


async def send(session: aiohttp.ClientSession, url: str, client: int, number: int) -> None:
    headers = {"Idempotency-Key": f"{client}-{number}"}
    async with session.post(f"{url}/ingest/batch", json=batch(client, number), headers=headers) as answer:
        assert answer.status == 202, await answer.text()


async def _load(url: str) -> None:
    async def client(number: int) -> None:
        async with aiohttp.ClientSession() as session:
            for each in range(BATCHES):
                await send(session, url, number, each)

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


def record(directory: Path, program: list[str]) -> Recorded:
    trace = directory / "trace"
    service = ServiceProcess(directory, PIPELINE, QUICK, command=[*command(trace), *program])
    service.spawn()
    try:
        _wait_until_it_listens(service)
        asyncio.run(_load(service.url))
    finally:
        for child in psutil.Process(service.running.pid).children(recursive=True):
            child.send_signal(signal.SIGKILL)
        service.running.wait(60)
    return Recorded(read(trace, service.data_dir), service.data_dir)


def _wait_until_it_listens(service: ServiceProcess) -> None:
    """`service.json` names the traced process, not the tracer, which `ServiceProcess.start` waits for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            service.url = json.loads((service.data_dir / "service.json").read_bytes())["url"].rstrip("/")
        except (OSError, ValueError):
            time.sleep(0.02)
        else:
            return
    raise AssertionError(service.read_output())


def places(events: list[Event], count: int) -> list[int]:
    """Event numbers to cut at: from the first answer on, around syncs and answers first."""
    first = next(number for number, event in enumerate(events) if event.kind == "answer")
    chance = random.Random(len(events))
    likely = [number for number in range(first, len(events)) if events[number].kind in {"sync", "answer"}]
    drawn = [chance.choice(likely) + chance.choice((0, 1)) for _ in range(count)]
    return sorted(min(number, len(events)) for number in drawn)


async def outcomes(recorded: Recorded, cuts: list[int], directory: Path) -> list[tuple[int, int]]:
    """For each cut: acknowledged logs that are lost, and logs that are counted twice."""
    disk, done, found = Disk(), 0, []
    for index, cut in enumerate(cuts):
        for number in range(done, cut):
            disk.take(number, recorded.events[number])
        done = max(done, cut)
        acknowledged = LOGS * sum(event.kind == "answer" for event in recorded.events[:cut])
        data = directory / str(index)
        disk.cut(data, recorded.directory, random.Random(index))
        found.append(await _settled(data, acknowledged))
        shutil.rmtree(data)
    return found


async def _settled(data: Path, acknowledged: int) -> tuple[int, int]:
    async with harness(PIPELINE, environ=QUICK, data_dir=data) as running:
        await running.flush()
        counted = await _stored(running)
        lost = max(0, acknowledged - counted)
        twice = max(0, counted - acknowledged - CLIENTS * LOGS)
        async with aiohttp.ClientSession() as session:  # clients send again what they are not sure of
            for client in range(CLIENTS):
                for number in range(BATCHES):
                    await send(session, running.url, client, number)
        await running.flush()
        return lost, max(twice, await _stored(running) - CLIENTS * BATCHES * LOGS)


async def _stored(running: Any) -> int:
    series = await running.get("/series?step=86400")
    return sum(point["count"] for line in series["series"] for point in line["points"])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record(Path(tmp_path_factory.mktemp("recorded")), [COMMAND])


MUTANT = [sys.executable, str(Path(__file__).parent / "mutants/never_synced.py")]


async def test_no_acknowledged_log_is_lost_or_doubled(recorded: Recorded, tmp_path: Path) -> None:
    cuts = places(recorded.events, 4)
    assert await outcomes(recorded, cuts, tmp_path) == [(0, 0)] * len(cuts)


def test_a_journal_that_is_never_synced_loses(tmp_path: Path) -> None:
    """The mutant: without syncs the same cuts lose acknowledged logs, so the test above can fail."""
    mutant = record(tmp_path, MUTANT)
    found = asyncio.run(outcomes(mutant, places(mutant.events, 2), tmp_path))
    assert any(lost for lost, _ in found), found


@pytest.mark.chaos
@pytest.mark.slow
async def test_many_power_cuts(recorded: Recorded, tmp_path: Path) -> None:
    if not CUTS:
        pytest.skip("long: `make chaos` runs it; the test above is its small form")
    cuts = places(recorded.events, CUTS)
    found = await outcomes(recorded, cuts, tmp_path)
    print(f"\n{CUTS} power cuts: lost {sum(lost for lost, _ in found)}, twice {sum(twice for _, twice in found)}")
    assert found == [(0, 0)] * CUTS
