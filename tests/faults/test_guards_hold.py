"""Guards hold: slow calls, exceptions and outages of `redact` and `patterns` let no secret and no wrong id through."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.service import ServiceProcess

PIPELINE = "[plugins.redact]\n[plugins.patterns]\n[plugins.sqlite]\n"
ENVIRON = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}
STALLS = Path(__file__).parent / "mutants" / "every_call_stalls.py"
AT_ONCE = 8
SECRET = "hunter2correct"
LINE = f"user 4711 sent password={SECRET}"
PATTERN = "user {ID} sent password=[redacted:password]"


async def _attacked(directory: Path, how: str) -> tuple[str, list[dict[str, Any]]]:
    """Eight requests at once with keys nobody has used, then one secret. Returns the files and the patterns."""
    service = ServiceProcess(directory, PIPELINE, ENVIRON, [sys.executable, str(STALLS), how]).start()
    try:
        async with aiohttp.ClientSession(service.url) as session:
            await asyncio.gather(*(_flood(session, sender) for sender in range(AT_ONCE)))
            for _ in range(3):
                async with session.post("/ingest", json={"message": LINE, "metadata": {"pass": SECRET}}) as answer:
                    assert answer.status == 202
        assert service.post("/flush")[0] < 300
        patterns = service.get("/patterns?limit=1000")["patterns"]
    finally:
        service.stop()
    files = b"".join(path.read_bytes() for path in service.data_dir.rglob("*") if path.is_file())
    return files.decode("latin-1"), patterns


async def _flood(session: aiohttp.ClientSession, sender: int) -> None:
    logs = [
        {"message": f"m {sender}", "metadata": {f"k{sender}_{log}_{key}": 1 for key in range(40)}} for log in range(60)
    ]
    headers = {"Idempotency-Key": f"flood-{sender}", "Content-Type": "application/json"}
    async with session.post("/ingest/batch", data=json.dumps({"logs": logs}), headers=headers) as answer:
        assert answer.status == 202


async def test_no_stall_lets_a_secret_or_a_wrong_pattern_through(tmp_path: Path) -> None:
    files, patterns = await _attacked(tmp_path, "guards_hold")
    assert SECRET not in files
    assert {row["pattern"]: row["count"] for row in patterns if "sent" in row["pattern"]} == {PATTERN: 3}


async def test_the_search_catches_guards_that_open(tmp_path: Path) -> None:
    files, patterns = await _attacked(tmp_path, "guards_open")
    assert SECRET in files
    assert PATTERN not in {row["pattern"] for row in patterns}


async def _heavy(session: aiohttp.ClientSession) -> float:
    """Post 400 logs with 16 kB of metadata that every rule has to look at; returns the seconds it took."""
    metadata = {f"k{number}": "password=x token: y " * 12 for number in range(60)}
    body = gzip.compress(
        json.dumps({"logs": [{"message": f"m {n}", "metadata": metadata} for n in range(400)]}).encode()
    )
    assert len(body) < 60_000
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    began = time.monotonic()
    async with session.post("/ingest/batch", data=body, headers=headers) as answer:
        assert answer.status == 202
    return time.monotonic() - began


@pytest.mark.serial
async def test_a_small_body_of_dear_logs_holds_no_neighbour_up(tmp_path: Path) -> None:
    service = ServiceProcess(tmp_path, PIPELINE, ENVIRON).start()
    try:
        async with aiohttp.ClientSession(service.url) as session:
            heavy = asyncio.create_task(_heavy(session))
            waits = []
            while not heavy.done():
                began = time.monotonic()
                async with session.post("/ingest", json={"message": "a neighbour"}) as answer:
                    assert answer.status == 202
                waits.append(time.monotonic() - began)
            took = await heavy
    finally:
        service.stop()
    assert len(waits) > 20
    assert max(waits) < took / 5


PLUGIN = """
from pydantic import BaseModel, ConfigDict
from log_aggregator import RetryableError, hookimpl

class Guard:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
    on_error = "refuse"
    def __init__(self, config): ...
    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            if "away" in record.message:
                raise RetryableError("away", retry_after=7)
            if "bad" in record.message:
                raise KeyError(record.message)
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    site = tmp_path / "site"
    info = site / "guard_of_a_test-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "guard_of_a_test.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guard-of-a-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[log_aggregator.plugins]\nguard = guard_of_a_test:Guard\n")
    pipeline = "[plugins.guard]\n[plugins.sqlite]\n"
    service = ServiceProcess(tmp_path, pipeline, {**ENVIRON, "PYTHONPATH": str(site)}).start()
    yield service
    service.stop()


async def test_a_guard_that_raises_costs_that_record_and_one_that_cannot_run_answers_503(
    guarded: ServiceProcess,
) -> None:
    async with aiohttp.ClientSession(guarded.url) as session:
        logs = [{"message": text} for text in ("one", "a bad secret", "two")]
        async with session.post("/ingest/batch", json={"logs": logs}) as answer:
            document = await answer.json()
        assert (answer.status, document["accepted"]) == (202, 2)
        assert "a bad secret" not in json.dumps(document)
        assert "guard cannot check this record" in json.dumps(document)
        async with session.post("/ingest", json={"message": "away"}) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) == 7
        async with session.post("/ingest", json={"message": "three"}) as answer:
            assert answer.status == 202
    assert guarded.post("/flush")[0] < 300
    assert {row["pattern"] for row in guarded.get("/patterns")["patterns"]} == {"one", "two", "three"}
