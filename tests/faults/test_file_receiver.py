"""The plugin `files` through kills of the service and rotations of the file: no line lost, none twice.

FOLLOW_LINES, FOLLOW_KILLS and FOLLOW_ROTATIONS make it as large as wanted.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.following import Writer, counts, wait_for, wrong
from tests.support.service import ServiceProcess

LINES = int(os.environ.get("FOLLOW_LINES", "8000"))
KILLS = int(os.environ.get("FOLLOW_KILLS", "4"))
ROTATIONS = int(os.environ.get("FOLLOW_ROTATIONS", "4"))
FIRST = 10
"""Lines that are there before anybody writes."""

MUTANTS = Path(__file__).parent / "mutants"

pytestmark = pytest.mark.timeout(0)

Run = Callable[..., dict[str, int]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run it all; the words whose counts are wrong."""
    started: list[ServiceProcess] = []

    def through_kills(lines: int, kills: int, rotations: int, command: list[str] | None = None) -> dict[str, int]:
        logs = tmp_path / "logs"
        logs.mkdir()
        path = logs / "app.log"
        path.write_text("".join(f"first {number}\n" for number in range(FIRST)))
        pipeline = (
            f'[plugins.patterns]\n[plugins.sqlite]\n[plugins.files]\npaths = ["{path}"]\nbatch = 200\nidle = 0.2\n'
        )
        environ = {"BATCH_SIZE": "1000", "WINDOW": str(tmp_path / "window")}
        service = ServiceProcess(tmp_path, pipeline, environ, command)
        started.append(service)
        service.start()
        wait_for(lambda: bool(counts(service)), "until then it is a first start, which leaves older parts alone")
        writer = Writer(path, lines, max(1, lines // (rotations + 1)), kills * 0.9)
        writer.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.3, 1.2))
            service.kill()
            service.start()
        writer.finish()
        assert writer.rotations >= rotations
        return wrong(service, lines, 240 + lines / 5000, FIRST)

    yield through_kills
    for service in started:
        service.stop()


def test_no_line_is_lost_and_none_comes_twice(run: Run) -> None:
    assert run(LINES, KILLS, ROTATIONS) == {}


def test_it_catches_a_position_that_is_written_after_the_records(run: Run) -> None:
    found = run(1000, 1, 0, [sys.executable, str(MUTANTS / "position_beside_the_records.py")])
    assert found, "position_beside_the_records was not noticed: the test above proves nothing"
    assert max(found.values()) > 0
