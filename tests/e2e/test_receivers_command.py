"""`log-aggregator receivers` on a real service: what listens, what came, what was refused, and what to do next."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from typing import Any

from tests.support.service import COMMAND

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n"


def run(service: Any, *arguments: str, code: int = 0) -> str:
    command = [COMMAND, "receivers", "--url", service.url, *arguments]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout or done.stderr


def test_without_receivers_it_says_how_to_turn_one_on(start_service: Any) -> None:
    text = run(start_service(PIPELINE))
    assert text.startswith("http  POST /ingest\n")
    assert "nothing came yet" in text
    assert "[plugins.otlp]" in text
    assert "pip install log-aggregator-otlp" in text


def test_what_listens_what_came_and_what_was_refused(start_service: Any) -> None:
    more = '[plugins.datadog]\n[plugins.loki]\n[plugins.lines]\ntcp = "127.0.0.1:0"\n'
    service = start_service(PIPELINE + more)
    text = run(service)
    assert "loki     POST /loki/api/v1/push\n" in text
    assert "lines    tcp 127.0.0.1:" in text
    assert 'Try: echo "disk full" | log-aggregator send -' in text

    log = {"message": "paid", "service": "shop", "timestamp": 1_790_000_000_000}
    for body in ([log, {"message": ""}], [log, {"message": ""}], "no logs"):
        service.post("/api/v2/logs", body)
    service.post("/ingest", {"message": "direct"})
    port = int(text.partition("lines    tcp 127.0.0.1:")[2].split()[0])
    with socket.create_connection(("127.0.0.1", port)) as lines:
        lines.sendall(b"one\ntwo\n")
    until = time.monotonic() + 20
    while service.get("/stats")["logs"]["accepted"] < 4:
        assert time.monotonic() < until, "the lines did not come in"
        time.sleep(0.02)

    text = run(service)
    assert "datadog  POST /api/v2/logs\n" in text
    came = "1 accepted, 1 sent again and counted once, 2 rejected, 1 requests refused"
    assert f"           {came}\n           last: message: empty, expected a text\n" in text
    assert "Try: echo" not in text
    found = {one["name"]: one for one in json.loads(run(service, "--json"))["receivers"]}
    assert {name: one["accepted"] for name, one in found.items()} == {"http": 1, "datadog": 1, "loki": 0, "lines": 2}
    service.stop()
    assert "is the service running there?" in run(service, code=1)
