"""From a fresh service to an alarm on a phone: `demo --incident --notify-to local`."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from tests.support.service import COMMAND


def test_an_incident_rings_a_phone(start_service: Any) -> None:
    service = start_service("[plugins.patterns]\n[plugins.sqlite]\n[plugins.trends]\n", {"AGGREGATION_WINDOW": "0.5"})
    command = [COMMAND, "demo", "--url", service.url, "--incident", "0:60", "--rate", "500", "--seconds", "1",
               "--notify-to", "local"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| (Severe|Many errors): ", done.stdout, re.MULTILINE), done.stdout
    assert service.get("/anomalies?tier=notify&state=open")["anomalies"]


def test_only_addresses_of_this_machine_are_notified_in_passing(start_service: Any) -> None:
    service = start_service("[plugins.sqlite]\n[plugins.trends]\n")
    for url in ("http://example.org/x", "https://127.0.0.1/x", "http://a@127.0.0.1/x", "file:///etc/passwd"):
        status, problem = service.post("/notify-to", {"url": url})
        assert (status, "expected an address on this machine" in problem["detail"]) == (422, True), url
    for _ in range(5):
        assert service.post("/notify-to", {"url": "http://127.0.0.1:9/x", "seconds": 5})[0] == 201
    assert service.post("/notify-to", {"url": "http://127.0.0.1:9/x"})[0] == 429
