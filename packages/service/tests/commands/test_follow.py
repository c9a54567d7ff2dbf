"""`send --follow`: it goes on where it stopped, sends a range again under its key, and keeps others off its place."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))


class Follow:
    """A running `send --follow`."""

    def __init__(self, server, directory: Path, *arguments: str) -> None:
        self.server = server
        self.place = directory / "place.json"
        command = [COMMAND, "send", *arguments, "--url", server.url, "--place", str(self.place)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def until(self, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 240
        while not found():
            assert time.monotonic() < deadline, self.server.messages
            assert self.process.poll() is None, self.process.stderr.read() if self.process.stderr else ""
            time.sleep(0.02)

    def until_there(self, count: int) -> None:
        self.until(lambda: len(self.server.logs) >= count)

    def until_answered(self, count: int) -> None:
        """Until so many logs are there, and the sender has the answer for each: only then it counts them."""
        self.until_there(count)
        self.until(lambda: json.loads(self.place.read_text())["pending"] is None)

    def end(self, how: signal.Signals = signal.SIGINT) -> str:
        self.process.send_signal(how)
        _, told = self.process.communicate(timeout=60)
        return told


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_it_goes_on_where_it_stopped_through_a_rotation(server, tmp_path):
    path = tmp_path / "app.log"
    write(path, "one\n  more\ntwo\n")
    first = Follow(server, tmp_path, "--follow", str(path), "--source", "shop")
    first.until_there(2)
    write(path, "three\n")
    first.until_answered(3)
    assert "3 logs accepted" in first.end()
    write(path, "four\n")
    path.rename(tmp_path / "app.log.1")
    write(path, "five\n")
    second = Follow(server, tmp_path, "--follow", str(path), "--source", "shop")
    second.until_there(5)
    second.end()
    assert sorted(server.messages) == sorted(["one\n  more", "two", "three", "four", "five"])
    assert all(log["source"] == "shop" for log in server.logs)


def test_a_range_on_its_way_is_sent_again_as_it_was_whatever_the_options_are_now(server, tmp_path):
    path = tmp_path / "app.log"
    write(path, "one\n  more\ntwo\n")
    server.next_answers = [lambda lines: (503, {"Retry-After": "60"}, {})]
    first = Follow(server, tmp_path, "--follow", str(path), "--level", "WARN")
    first.until(lambda: bool(server.requests))
    first.end(signal.SIGKILL)
    pending = json.loads(first.place.read_text())["pending"]
    assert (pending["start"], pending["end"]) == (0, len("one\n  more\n"))
    path.rename(tmp_path / "app.log.1")
    second = Follow(server, tmp_path, "--follow", str(path), "--lines")
    second.until_answered(2)
    second.end()
    assert server.logs == [{"message": "one\n  more", "level": "WARN"}, {"message": "two"}]
    assert server.requests[0]["Idempotency-Key"] == server.requests[1]["Idempotency-Key"]
    assert server.requests[0]["Idempotency-Key"] == f"{pending['file']}:0-{pending['end']}"


def test_an_answer_that_was_lost_counts_once(server, tmp_path):
    path = tmp_path / "app.log"
    write(path, "one\ntwo\n")
    server.lose_answers = 1
    follow = Follow(server, tmp_path, "--follow", str(path))
    follow.until(lambda: len(server.requests) >= 2)
    write(path, "three\n")
    follow.until_there(3)
    told = follow.end()
    assert server.messages == ["one", "two", "three"]
    assert "waiting for the service until it is there" in told


def test_an_interrupt_before_the_answer_loses_nothing_and_counts_nothing_twice(server, tmp_path):
    path = tmp_path / "app.log"
    write(path, "one\n")
    server.answers.clear()
    first = Follow(server, tmp_path, "--follow", str(path))
    first.until_there(1)
    assert "0 logs accepted" in first.end()
    server.answers.set()
    path.rename(tmp_path / "app.log.1")
    write(path, "two\n")
    second = Follow(server, tmp_path, "--follow", str(path))
    second.until_answered(2)
    second.end()
    assert server.messages == ["one", "two"]
    assert server.requests[0]["Idempotency-Key"] == server.requests[1]["Idempotency-Key"]


def test_one_place_is_for_one_process(server, tmp_path):
    path = tmp_path / "app.log"
    write(path, "one\n")
    follow = Follow(server, tmp_path, "--follow", str(path))
    follow.until_there(1)
    other = Follow(server, tmp_path, "--follow", str(path))
    assert "another send uses this place; choose one with --place" in other.process.communicate(timeout=60)[1]
    assert other.process.returncode == 2
    follow.end()


JOURNALCTL = """#!{python}
import json, sys
after = next((int(a.split("=")[1]) for a in sys.argv if a.startswith("--after-cursor=")), 0)
for number in range(after + 1, 6):
    print(json.dumps({{"__CURSOR": str(number), "MESSAGE": [111, 110, 101], "PRIORITY": "3", "_PID": "7",
                      "_SYSTEMD_UNIT": "ssh.service", "_SOURCE_REALTIME_TIMESTAMP": "1764500000000000"}}))
"""


@pytest.fixture
def journalctl(tmp_path, monkeypatch) -> None:
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(JOURNALCTL.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("journalctl")
def test_the_journal_is_sent_once(server, tmp_path):
    for _ in range(2):
        sent = Follow(server, tmp_path, "--from", "journald", "--batch", "2")
        sent.process.communicate(timeout=60)
        assert sent.process.returncode == 0
    log = {"message": "one", "level": 3, "source": "ssh", "timestamp": 1764500000000000, "metadata": {"pid": "7"}}
    unit = {"systemd_unit": "ssh.service"}
    assert server.logs == [{**log, "metadata": {**log["metadata"], **unit}}] * 5
