"""`log-aggregator tail` on a real service: what it prints, when it ends, and what it says where it cannot follow."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.service import COMMAND, ServiceProcess

DEADLINE = 60
TRACE = "Order 7 failed\n  in confirm\x1b[2J"


@pytest.fixture
def service(start_service: Callable[..., ServiceProcess]) -> ServiceProcess:
    return start_service("[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n")


Follow = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def follow(service: ServiceProcess) -> Iterator[Follow]:
    """`follow(*arguments)`: the command, once the service shows it logs."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [COMMAND, "tail", "--url", service.url, *arguments]
        environ = {**os.environ, "TZ": "UTC"}
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        deadline = time.monotonic() + DEADLINE
        while not service.get("/stats")["plugins"]["dashboard"]["figures"]["tails"]:
            assert time.monotonic() < deadline
            assert process.poll() is None
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_logs_are_printed_as_they_come(service: ServiceProcess, follow: Follow) -> None:
    process = follow("--level", "error", "--logs", "2")
    logs = [{"message": "User 7 logged in"}, {"message": TRACE, "level": "ERROR", "source": "shop"}]
    assert service.post("/ingest/batch", [*logs, {"message": "Disk is full", "level": "ERROR"}])[0] == 202
    printed, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    first, second, third = printed.splitlines()
    assert first.endswith("  ERROR     shop           Order 7 failed")
    assert second.startswith("      in confirm")
    assert "\x1b" not in printed
    assert third.endswith(" Disk is full")


def test_json_has_the_metadata_and_words_filter(service: ServiceProcess, follow: Follow) -> None:
    process = follow("DISK", "is", "--json", "--logs", "1")
    logs = [{"message": "User 7 logged in"}, {"message": "Disk is full", "metadata": {"host": "a"}}]
    assert service.post("/ingest/batch", logs)[0] == 202
    printed, _ = process.communicate(timeout=DEADLINE)
    log = json.loads(printed)
    assert (log["message"], log["metadata"]) == ("Disk is full", {"host": "a"})
    assert len(log["pattern_id"]) == 16


def test_a_service_without_the_dashboard_is_told(start_service: Callable[..., ServiceProcess]) -> None:
    service = start_service("[plugins.sqlite]\n")
    done = subprocess.run(
        [COMMAND, "tail", "--url", service.url], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"log-aggregator tail: {service.url}: 404 ")
    assert done.stderr.endswith("the live tail needs the plugin dashboard\n")
