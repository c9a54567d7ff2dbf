"""The commands for a person on call, on a real service: search, show, compare, mark, triage, anomalies, notify-test."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from typing import Any

import pytest

from tests.support.service import COMMAND

LOG = "Payment of {} EUR for order {} refused"
HOSTILE = "\x1b[2J gone"


@pytest.fixture
def filled(start_service: Any) -> Any:
    service = start_service("[plugins.patterns]\n[plugins.sqlite]\n[plugins.trends]\nrequired = false\n")
    logs = [{"message": LOG.format(n, 4711 + n), "source": "payment", "level": "ERROR"} for n in range(30)]
    logs += [{"message": "User 7 logged in", "source": "auth"}, {"message": HOSTILE, "source": "x"}]
    assert service.post("/ingest/batch", {"logs": logs})[0] == 202
    service.post("/flush")
    return service


def run(service: Any, *arguments: str, code: int = 0) -> str:
    command = [COMMAND, arguments[0], "--url", service.url, *arguments[1:]]
    environ = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 or done.stdout else done.stderr


def as_json(service: Any, *arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(service, *arguments, "--json", code=code))
    return found


def test_search_show_and_triage(filled: Any) -> None:
    line = run(filled, "search", "refused", "level:error").splitlines()
    assert len(line) == 1
    assert re.match(r"[0-9a-f]{16} +30  ERROR ", line[0])
    name = line[0][:16]
    assert as_json(filled, "search", *LOG.format(7, 8).split(), "--since", "1h")["line"]["pattern_id"] == name
    assert run(filled, "search", "nothing-like-it", code=1) == ""
    assert "q: column 7" in run(filled, "search", "level:", code=1)
    assert "\x1b" not in run(filled, "search")
    rows = list(csv.DictReader(run(filled, "search", "level:error", "--export", "csv").splitlines()))
    assert [(row["pattern_id"], row["count"], row["levels"]) for row in rows] == [(name, "30", "ERROR=30")]
    assert "`Payment of {ID} EUR for order" in run(filled, "search", "refused", "--export", "markdown")
    shown = run(filled, "show", name)
    assert f"id       {name}" in shown
    assert "levels   ERROR 30" in shown
    assert as_json(filled, "show", name)["count"] == 30
    assert "404 no pattern has the id" in run(filled, "show", "0" * 16, code=1)
    said = run(filled, "triage", name, "mute", "--times", "3", "--until", "2h", "--owner", "shop", "--note", "a note")
    assert "muted" in said
    assert "until 3 times" in said
    assert as_json(filled, "triage", name)["owner"] == "shop"
    assert [one["state"] for one in as_json(filled, "triage")["triage"]] == ["muted"]
    assert "[muted, shop]" in run(filled, "search", "refused", "--triage", "muted")
    assert "triage   muted; shop; a note" in run(filled, "show", name)


def test_marks_and_what_changed(filled: Any) -> None:
    assert "mark:deploy-1.4" in run(filled, "mark", "deploy 1.4", "--at", "2m", "--source", "shop")
    (mark,) = as_json(filled, "mark", "--list")["marks"]
    assert mark["source"] == "shop"
    text = run(filled, "compare", "mark:deploy-1.4")
    assert re.search(r"^new +ERROR +0 → 30 +[0-9a-f]{16}  payment +Payment of ", text, re.MULTILINE)
    assert as_json(filled, "compare", "1h..2m")["after"]["logs"] == 0
    assert "nothing changed beyond chance" in run(filled, "compare", "2h..1h")
    run(filled, "mark", "--remove", mark["id"])
    assert "no mark is named 'deploy-1.4'" in run(filled, "compare", "mark:deploy-1.4", code=1)


def test_anomalies_and_a_test_of_notifications(filled: Any) -> None:
    filled.post("/ingest", {"message": "what was found rides on the next flush"})
    filled.post("/flush")
    text = run(filled, "anomalies")
    assert re.search(r"open +notify +error_share +payment", text)
    assert "still learning what is usual, until " in text
    assert as_json(filled, "anomalies", "--tier", "recorded", code=1)["anomalies"] == []
    logs = [{"message": "Disk slow", "source": "x", "level": level, "metadata": {"zone": zone}}
            for level, zone in (("ERROR", "a"), ("INFO", "a"), ("INFO", "b"))]  # fmt: skip
    assert filled.post("/ingest/batch", {"logs": logs})[0] == 202
    filled.post("/flush")
    lines = run(filled, "values", "zone").splitlines()
    assert [line.split() for line in lines] == [
        ["a", "2", "logs", "50.0%", "errors", "1", "patterns"],
        ["b", "1", "logs", "0.0%", "errors", "1", "patterns"],
    ]
    assert as_json(filled, "values", "zone", "--search", "level:error")["errors"] == 1
    assert run(filled, "values", "nowhere", code=1) == ""
    assert "no targets" in run(filled, "notify-test", code=1)


def test_a_service_that_is_away_is_named(filled: Any) -> None:
    filled.stop()
    for name in ("search", "compare", "anomalies", "notify-test"):
        assert run(filled, name, code=1).endswith("Connection refused; is the service running there?\n")
