"""`send --follow` through kills of it, of the service and of both, and through rotations: no line lost, none twice.

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

from tests.faults.following import Sender, Writer, free_port, wait_for, wrong
from tests.support.service import PIPELINE, ServiceProcess

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
    service = ServiceProcess(tmp_path, PIPELINE, {"PORT": str(free_port()), "BATCH_SIZE": "1000"})
    started: list[Sender] = []

    def through_kills(lines: int, kills: int, rotations: int, command: list[str] | None = None) -> dict[str, int]:
        logs = tmp_path / "logs"
        logs.mkdir()
        seconds = 60.0 if command else kills * 0.9  # what is left comes without pauses
        writer = Writer(logs / "app.log", lines, max(1, lines // (rotations + 1)), seconds)
        (logs / "app.log").write_text("".join(f"first {number}\n" for number in range(FIRST)))
        service.start()
        sender = Sender(logs / "app.log", service.url, command)
        started.append(sender)
        sender.start()
        wait_for(sender.place.exists, "until then it is a first start, which leaves older parts alone")
        writer.start()
        for number in range(kills):
            time.sleep(random.uniform(0.3, 1.2))
            if command and number == 0:
                wait_for(sender.window.exists, "the mutant sends a second range")
                wait_for(lambda before=writer.written: writer.written > before, "another range is read after the kill")
            kind = number % 3
            if kind != 1:
                sender.kill()
            if kind != 0:
                service.kill()
                service.start()
            if kind != 1:
                sender.start()
        writer.finish()
        assert writer.rotations >= rotations
        return wrong(service, lines, 240 + lines / 5000, FIRST)

    yield through_kills
    for sender in started:
        sender.kill()
    service.stop()


def test_no_line_is_lost_and_none_comes_twice(run: Run) -> None:
    assert run(LINES, KILLS, ROTATIONS) == {}


def test_it_catches_a_range_that_is_noted_after_it_was_sent(run: Run) -> None:
    found = run(1000, 1, 0, [sys.executable, str(MUTANTS / "note_after_sending.py")])
    assert found, "note_after_sending was not noticed: the test above proves nothing"
    assert max(found.values()) > 0
