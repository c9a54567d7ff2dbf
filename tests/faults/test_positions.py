"""SIGKILL at random moments while a receiver reads a file: each line is counted once. And the test can fail."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.crashing import counted
from tests.support.service import ServiceProcess

MUTANTS = Path(__file__).parent / "mutants"
LINES = 60_000
BATCH = 7
FEWEST = 3

READER = """
import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from pydantic import BaseModel, ConfigDict
from log_aggregator import Record, hookimpl
from log_aggregator.receivers import ingest_when_possible


class Reader:
    instances = "node"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        path: Path
        batch: int

    def __init__(self, config):
        self.config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        self.service = service
        service.run("read", self.read)
        yield

    async def read(self):
        at = int(self.service.position("file") or b"0")
        with self.config.path.open("rb") as file:
            file.seek(at)
            while lines := [line for _ in range(self.config.batch) if (line := file.readline())]:
                at += sum(map(len, lines))
                records = [Record.of(line.rstrip(), source="file") for line in lines]
                await ingest_when_possible(self.service, records, position=("file", b"%d" % at))
        (self.service.data_dir / "read").touch()
"""

Start = Callable[..., ServiceProcess]


@pytest.fixture
def reading(tmp_path: Path) -> Start:
    def make(lines: int, command: list[str] | None = None) -> ServiceProcess:
        site = tmp_path / "site"
        info = site / "reader-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "reader.py").write_text(READER)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reader\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[log_aggregator.plugins]\nreader = reader:Reader\n")
        (tmp_path / "file.log").write_text("".join(f"line {number % 50}\n" for number in range(lines)))
        pipeline = f"[plugins.reader]\npath = '{tmp_path / 'file.log'}'\nbatch = {BATCH}\n[plugins.sqlite]\n"
        # Small flushes, often: more transactions for a kill to hit.
        environ = {"PYTHONPATH": str(site), "AGGREGATION_WINDOW": "0.05", "WINDOW": str(tmp_path / "window")}
        return ServiceProcess(tmp_path, pipeline, environ, command=command)

    return make


async def _read_with_kills(service: ServiceProcess, kills: int, window: Path | None = None) -> int:
    """How many lines are counted at the end, after some kills while they were read.

    No kill comes before `window` is there: a mutant says when one shows its bug.
    """
    done = service.data_dir / "read"
    killed = 0
    try:
        while killed < kills and not done.exists():
            await asyncio.to_thread(service.start)
            async with asyncio.timeout(120):
                while window is not None and not window.exists():
                    await asyncio.sleep(0.02)
            await asyncio.sleep(random.uniform(0.0, 0.3))
            await asyncio.to_thread(service.kill)
            killed += not done.exists()
        assert killed >= min(FEWEST, kills), "the file is too short for this machine"
        await asyncio.to_thread(service.start)
        async with asyncio.timeout(240):
            while not done.exists():
                await asyncio.sleep(0.05)
        status, _ = await asyncio.to_thread(service.post, "/flush")
        assert status == 200
        return counted(service)["file"]
    finally:
        service.stop()


@pytest.mark.slow
async def test_each_line_is_counted_once(reading: Start) -> None:
    assert await _read_with_kills(reading(LINES), kills=6) == LINES


@pytest.mark.slow
async def test_the_test_catches_a_position_that_is_written_after_the_commit(reading: Start, tmp_path: Path) -> None:
    lines = LINES // 40
    service = reading(lines, [sys.executable, str(MUTANTS / "position_after_commit.py")])
    counted = await _read_with_kills(service, 1, tmp_path / "window")
    assert counted > lines, "the mutant was not noticed: this test proves nothing"
