"""The main job as a person does it: send logs, read patterns. Every count adds up, in the API and in the file."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import urllib.parse
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.beside import REAL_LINES, needs_real_lines
from tests.support.service import COMMAND, ServiceProcess

ROOT = Path(__file__).parents[2]

DEMO_LOGS = 20_000


@pytest.fixture
def shop(start_service) -> ServiceProcess:
    """A service with the pipeline that the project ships."""
    return start_service((ROOT / "plugins.toml").read_text())


def send(service: ServiceProcess, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [COMMAND, "send", *arguments, "--url", service.url]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done


def flush(service: ServiceProcess) -> None:
    status, answer = service.post("/flush?deadline=60")
    assert status == 200, answer


def read_all(service: ServiceProcess, **question: str) -> list[dict[str, Any]]:
    """Every page of `GET /patterns`."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = {**question, "limit": "500", **({"cursor": cursor} if cursor else {})}
        page = service.get(f"/patterns?{urllib.parse.urlencode(asked)}")
        rows += page["patterns"]
        cursor = page.get("cursor")
        if not cursor:
            return rows


def per(rows: list[dict[str, Any]], what: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row[what])
    return total


def stored(service: ServiceProcess, column: str) -> Counter[str]:
    file = sqlite3.connect(f"file:{service.data_dir / 'logs.sqlite3'}?mode=ro", uri=True)
    try:
        return Counter(dict(file.execute(f"SELECT {column}, SUM(count) FROM aggregated_logs GROUP BY {column}")))
    finally:
        file.close()


def check(service: ServiceProcess, sources: Counter[str], levels: Counter[str] | None) -> list[dict[str, Any]]:
    """`levels` is what was sent; `None`: none was sent, so the pipeline may have found out."""
    flush(service)
    rows = read_all(service)
    assert sum(row["count"] for row in rows) == sources.total()
    assert len({row["pattern_id"] for row in rows}) == len(rows)
    for row in rows:
        assert sum(row["levels"].values()) == sum(row["sources"].values()) == row["count"]
    assert per(rows, "sources") == stored(service, "source") == sources
    assert per(rows, "levels") == stored(service, "level")
    assert per(rows, "levels").total() == sources.total()
    assert levels is None or per(rows, "levels") == levels
    logs = service.get("/stats")["logs"]
    assert logs["accepted"] == logs["aggregated"] == sources.total()
    assert (logs["rejected"], logs["refused"]) == (0, 0)
    return rows


@needs_real_lines
def test_the_messages_of_seven_systems(shop, tmp_path):
    sources: Counter[str] = Counter()
    for path in sorted(REAL_LINES.glob("*/*_structured_corrected.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            messages = [row["Content"] for row in csv.DictReader(file)]
        raw = tmp_path / f"{path.parent.name}.log"
        raw.write_text("".join(f"{message}\n" for message in messages))
        send(shop, str(raw), "--source", path.parent.name)
        sources[path.parent.name] = sum(1 for message in messages if message.strip())
    assert len(sources) == 7
    rows = check(shop, sources, None)
    assert len(rows) < sources.total() / 5, "hardly anything was grouped"


def test_the_demo_stream(shop, tmp_path):
    made = [COMMAND, "demo", "--stdout", "--count", str(DEMO_LOGS), "--seed", "5", "--incident", "20:30"]
    ndjson = subprocess.run(made, capture_output=True, check=True, timeout=120).stdout
    logs = [json.loads(line) for line in ndjson.splitlines()]
    assert len(logs) == DEMO_LOGS
    send(shop, "-", "--batch", "700", stdin=ndjson)
    rows = check(shop, Counter(log["source"] for log in logs), Counter(log["level"] for log in logs))
    assert len(rows) < 400, "hardly anything was grouped"


def test_counts_go_on_after_a_restart(shop):
    send(shop, "-", "--source", "shop", stdin=b"User 1 logged in\n" * 500)
    assert shop.terminate() == 0
    shop.start()
    send(shop, "-", "--source", "shop", stdin=b"User 2 logged in\n" * 250)
    flush(shop)
    (row,) = read_all(shop)
    assert (row["pattern"], row["count"]) == ("User {ID} logged in", 750)


def test_the_demo_command_sends_what_it_says(shop):
    command = [COMMAND, "demo", "--url", shop.url, "--past", "60", "--rate", "50", "--count", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "2,000 logs accepted" in done.stderr
    flush(shop)
    assert sum(row["count"] for row in read_all(shop)) == 2000


def test_python_logging_arrives(shop):
    code = f"""
import logging
from log_aggregator_client import LogAggregatorHandler
logging.getLogger().addHandler(LogAggregatorHandler({shop.url!r}, "program", flush_timeout=60))
for number in range(1234):
    logging.warning("User %d logged in", number)
"""
    subprocess.run([str(Path(COMMAND).with_name("python")), "-c", code], check=True, timeout=120)
    flush(shop)
    (row,) = read_all(shop, source="program")
    assert (row["pattern"], row["count"], row["levels"]) == ("User {ID} logged in", 1234, {"WARN": 1234})
