"""`rm journal*` under a running service: no log is acknowledged that a kill would lose."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.support.service import ServiceProcess


def post(service: ServiceProcess, message: str) -> int:
    body = json.dumps({"message": message}).encode()
    request = urllib.request.Request(f"{service.url}/ingest", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def health(service: ServiceProcess) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"{service.url}/health", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_journal_that_was_removed_refuses_and_says_so(replaced: bool, service: ServiceProcess) -> None:
    running = service
    assert post(running, "before") == 202
    for path in running.data_dir.glob("journal.sqlite3*"):
        content = path.read_bytes()
        path.unlink()
        if replaced:
            path.write_bytes(content)
    assert post(running, "after") == 503
    status, told = health(running)
    assert status == 503
    wanted = "another file lies in its place" if replaced else "No such file"
    assert wanted in json.dumps(told)
    running.kill()
    again = running.start()
    assert post(again, "once more") == 202


def test_logs_from_before_the_removal_are_stored_when_the_service_stops(service: ServiceProcess) -> None:
    """They were acknowledged, and the removed file can still be read: the drain takes them to the store."""
    assert post(service, "before") == 202
    for path in service.data_dir.glob("journal.sqlite3*"):
        path.unlink()
    assert post(service, "after") == 503
    service.stop()
    service.start()
    with urllib.request.urlopen(f"{service.url}/patterns", timeout=60) as answer:
        assert [(one["pattern"], one["count"]) for one in json.load(answer)["patterns"]] == [("before", 1)]
