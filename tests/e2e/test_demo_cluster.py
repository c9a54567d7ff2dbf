"""`make demo-cluster`: three nodes of which one is killed, and nothing is left behind."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.nats import needs_nats

pytestmark = pytest.mark.cluster

DEMO = Path(__file__).parents[2] / "tools/demo_cluster.py"


class Demo:
    """The running demo, and what it prints."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, str(DEMO), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def read_until(self, words: str) -> str:
        """What is printed up to a line with these words."""
        told = ""
        assert self.process.stdout is not None
        while words not in told:
            line = self.process.stdout.readline()
            assert line, told
            told += line
        return told


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = Demo("--kill-after", "4")
    try:
        yield demo
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.process.communicate(timeout=60)


def post(url: str, body: Any, key: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


@needs_nats
@pytest.mark.slow
def test_a_node_is_killed_and_its_logs_stay(demo: Demo) -> None:
    told = demo.read_until("  c  http")
    first, second, third = re.findall(r"http://127\.0\.0\.1:\d+", told)
    logs = [{"message": f"order {number} paid", "source": "mine"} for number in range(100)]
    post(f"{third}/ingest", logs, "before")
    demo.read_until("Killed node c")
    post(f"{second}/ingest", logs, "during")
    assert post(f"{first}/ingest", logs, "before")["duplicate"], "a key of the killed node is known to the others"
    assert "2 of 3 replicas" in demo.read_until("a says: degraded")
    demo.read_until("a says: healthy")
    assert post(f"{third}/flush", None)["sealed"]
    for url in (first, second, third):
        assert [one["count"] for one in get(f"{url}/patterns?source=mine")["patterns"]] == [200]
    assert sum(one["count"] for one in get(f"{first}/patterns")["patterns"]) > 300, "the demo's own logs"
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0
    time.sleep(0.2)
    for url in (first, second, third):
        with socket.socket() as one:
            assert one.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0, "a service is left behind"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (None, "there is no nats-server here"),
        ("#!/bin/sh\necho nats-server: v2.9.10\n", r"nats-server is 2\.9, expected 2\.15 or newer"),
    ],
)
def test_it_refuses_without_a_server_that_is_new_enough(
    program: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("demo_cluster", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if program is not None:
        (tmp_path / "nats-server").write_text(program)
        (tmp_path / "nats-server").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path}")
    assert module.main([]) == 1
    told = capsys.readouterr().err
    assert re.search(why, told)
    assert "https://github.com/nats-io/nats-server/releases" in told, "it says where one comes from"
