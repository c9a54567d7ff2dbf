"""A log file that is written and rotated, and whoever reads it killed at random moments: each line must come once."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.service import COMMAND, ServiceProcess

DEADLINE = 120.0
"""Seconds until something that must come has come, on a busy machine too."""

LINES_PER_WORD = 100
"""Lines with one word have one pattern: its count says whether a line was lost or came twice."""


class Writer:
    """Writes lines to a file as a program does, and rotates it as logrotate does."""

    def __init__(self, path: Path, total: int, every: int, seconds: float) -> None:
        """`total` lines in about so many seconds; the file is rotated after each `every`, by turns in both ways."""
        self.path, self.total, self._every = path, total, every
        self._pause = seconds * 30 / total
        self.written = self.rotations = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._hurry = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Write what is left without pauses."""
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        file = self.path.open("ab", buffering=0)
        while self.written < self.total:
            count = min(random.randrange(1, 60), self.total - self.written, self._every - self.written % self._every)
            lines = [f"{word(number)} line {number}\n" for number in range(self.written, self.written + count)]
            data = "".join(lines).encode()
            cut = random.randrange(len(data))
            file.write(data[:cut])  # a line in two pieces now and then
            file.write(data[cut:])
            self.written += count
            if self.written % self._every == 0 and self.written < self.total:
                file = self._rotate(file)
            self._hurry.wait(self._pause)
        file.close()

    def _rotate(self, file):
        for number in range(40, 0, -1):
            old = self.path.with_name(f"{self.path.name}.{number}")
            if old.exists():
                old.rename(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.rotations += 1
        older = self.path.with_name(f"{self.path.name}.1")
        if self.rotations % 2:
            self.path.rename(older)
            file.close()
            return self.path.open("ab", buffering=0)
        shutil.copy(self.path, older)
        time.sleep(0.01)  # the writer pauses: what is written here, the rotation itself would lose
        file.truncate(0)
        return file


class Sender:
    """`send --follow` as a process."""

    def __init__(self, path: Path, url: str, command: list[str] | None = None) -> None:
        """`command` is another program than the product's: a mutant, which says in `window` when a kill shows it."""
        self.window = path.with_name("window")
        program = command or [COMMAND]
        place = path.with_name("place.json")
        self._command = [*program, "send", "--follow", str(path), "--url", url, "--place", str(place), "--batch", "200"]
        self.place = place
        self._output = path.with_name("sender.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, stdout=output, stderr=output, env={**os.environ, "WINDOW": str(self.window)}
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def word(number: int) -> str:
    """Letters for a line's number, the same for `LINES_PER_WORD` lines."""
    block = number // LINES_PER_WORD
    letters = [chr(97 + block // 26**place % 26) for place in range(4)]
    return "w" + "".join(letters)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so. Raises `AssertionError` when it is not for long."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def free_port() -> int:
    """A port for a service that keeps it through its restarts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def counts(service: ServiceProcess) -> dict[str, int]:
    """How many lines of each word the service has."""
    service.post("/flush?deadline=30")
    found: dict[str, int] = {}
    cursor = ""
    while True:
        page = service.get(f"/patterns?limit=1000{cursor}")
        for pattern in page["patterns"]:
            key = pattern["pattern"].split()[0]
            found[key] = found.get(key, 0) + pattern["count"]
        if not page["cursor"]:
            return found
        cursor = f"&cursor={page['cursor']}"


def wrong(service: ServiceProcess, total: int, seconds: float, first: int) -> dict[str, int]:
    """Words whose count is not right when everything must have come: too few are lost, too many came twice."""
    wanted: dict[str, int] = {"first": first}
    for number in range(total):
        wanted[word(number)] = wanted.get(word(number), 0) + 1
    deadline = time.monotonic() + seconds
    found = counts(service)
    while sum(found.values()) < total + first and time.monotonic() < deadline:
        time.sleep(0.2)
        found = counts(service)
    differences = {key: found.get(key, 0) - wanted.get(key, 0) for key in wanted.keys() | found.keys()}
    return {key: difference for key, difference in differences.items() if difference}
