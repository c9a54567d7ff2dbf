"""How long a person waits after the start until the first log is taken."""

from __future__ import annotations

import http.client
import tempfile
import time
from pathlib import Path

from tests.bench.candidates import free_port
from tests.bench.targets import made_up
from tests.bench.targets.memory import PIPELINE
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, spread
from tests.support.service import ServiceProcess

WANTED = 1.5
AGAIN = 0.003
"""Seconds between two tries."""

GIVEN_UP = 60.0
STORED_LOGS = 30_000
"""What an existing data directory holds: ten logs of each pattern."""

_BODY = b'{"message": "User 123 logged in", "level": "INFO", "source": "auth"}'
_HEADERS = {"Content-Type": "application/json"}


def rows(options: Options, progress: Progress) -> list[Row]:
    """From the spawn of `log-aggregator serve`, default pipeline, to the first 202, with nothing and something stored.

    Each time on a free port that is known before, so that the first try can come before the service listens.
    """
    fresh, existing = [], []
    with tempfile.TemporaryDirectory() as home:
        for number in range(options.starts):
            progress.step(f"start: fresh directory, {number + 1} of {options.starts}")
            directory = Path(home, f"fresh-{number}")
            directory.mkdir()
            fresh.append(_start(directory))
        used = Path(home, "used")
        used.mkdir()
        progress.step("start: filling a directory")
        _start(used, made_up.bodies(STORED_LOGS // 1000, 1000))
        for number in range(options.starts):
            progress.step(f"start: existing directory, {number + 1} of {options.starts}")
            existing.append(_start(used))
    return [_row("fresh data directory", fresh), _row("existing data directory", existing)]


def _start(directory: Path, bodies: list[bytes] | None = None) -> float:
    """Seconds from the spawn to the first 202; then `bodies` are sent and the service is stopped in order."""
    port = free_port()
    service = ServiceProcess(directory, PIPELINE.read_text(), {"PORT": str(port)})
    began = time.perf_counter()
    service.spawn()
    try:
        while not _taken(port, "/ingest", _BODY):
            if service.running.poll() is not None or time.perf_counter() - began > GIVEN_UP:
                raise RuntimeError(f"no log was taken:\n{service.read_output()}")
            time.sleep(AGAIN)
        took = time.perf_counter() - began
        for body in bodies or []:
            if not _taken(port, "/ingest/batch", body):
                raise RuntimeError("a batch was refused")
    finally:
        service.stop()
    return took


def _taken(port: int, path: str, body: bytes) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body, _HEADERS)
        return connection.getresponse().status == 202
    except (ConnectionError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _row(directory: str, seconds: list[float]) -> Row:
    found = spread(seconds)
    what = f"start to first accepted log, {directory}"
    return Row(what, f"<= {WANTED} s", f"{found} s", found.median <= WANTED, {"seconds": seconds})
