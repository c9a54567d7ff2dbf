"""A server that takes short messages only: what is too long is refused or cut, and nothing waits for ever."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from plugins.jetstream.tests.test_service import pipeline
from tests.support.nats import NatsCluster, needs_nats
from tests.support.service import ServiceProcess

pytestmark = needs_nats

LIMIT = 1024 * 1024
dice = random.Random(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    directory = tmp_path_factory.mktemp("long")
    with NatsCluster(directory, max_payload="1MB") as cluster:
        environ = {"AGGREGATION_WINDOW": "60", "MAX_MESSAGE_LENGTH": str(4 * LIMIT)}
        service = ServiceProcess(directory, pipeline(cluster, partitions=1, member="one", window=30), environ)
        try:
            yield service.start()
        finally:
            service.stop()


def noise(length: int) -> str:
    """Text that takes half as many bytes when it is compressed."""
    return dice.randbytes(length // 2).hex()


def words(count: int) -> str:
    """A message of which no rule makes the pattern of another."""
    return " ".join("".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(count))


def log(text: str, source: str) -> dict[str, Any]:
    return {"message": text, "source": source}


def stored(service: ServiceProcess, source: str) -> int:
    assert service.post("/flush")[1]["sealed"]
    (file,) = service.data_dir.rglob("logs.sqlite3")
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT coalesce(sum(count), 0) FROM aggregated_logs WHERE source = ?"
        return int(connection.execute(query, (source,)).fetchone()[0])


def test_a_log_that_fits_in_no_message_is_rejected_alone(service: ServiceProcess) -> None:
    logs = [log("first", "alone"), log(noise(3 * LIMIT), "alone"), log("last", "alone")]
    for key in ({}, {"Idempotency-Key": "alone"}):
        status, answer = service.post("/ingest", logs, key)
        assert (status, answer["accepted"]) == (202, 2)
        assert [one["index"] for one in answer["rejected"]] == [1]
        assert "longer than the journal takes" in answer["rejected"][0]["error"]
    assert service.post("/ingest", logs, {"Idempotency-Key": "alone"})[1]["duplicate"]
    status, answer = service.post("/ingest", log(noise(3 * LIMIT), "alone"))
    assert (status, "longer than the journal takes" in answer["detail"]) == (422, True)
    assert stored(service, "alone") == 4
    assert service.get("/stats")["logs"]["refused"] == 0


def test_a_request_that_fits_in_no_message_is_written_in_several(service: ServiceProcess) -> None:
    status, answer = service.post("/ingest", [log(noise(100_000), "long") for _ in range(50)])
    assert (status, answer) == (202, {"accepted": 50, "rejected": []})
    assert stored(service, "long") == 50


def test_under_a_key_it_is_refused_for_good_since_a_repeat_must_be_known(service: ServiceProcess) -> None:
    logs = [log(noise(100_000), "keyed") for _ in range(50)]
    for _ in range(2):
        status, answer = service.post("/ingest", logs, {"Idempotency-Key": "long"})
        assert status == 413
        assert "send fewer" in answer["detail"]
    assert service.post("/ingest", logs[:10], {"Idempotency-Key": "short"})[0] == 202
    assert stored(service, "keyed") == 10
    assert service.get("/health")["checks"]["journal"]["ok"], "the request is at fault, not the journal"


def test_a_flush_that_fits_in_no_message_loses_details_and_no_count(service: ServiceProcess) -> None:
    before = service.get("/stats")["aggregation"]["flushes_reduced"]
    for _ in range(8):
        assert service.post("/ingest", [log(words(150), "flush") for _ in range(500)])[0] == 202
    assert service.post("/ingest", [log("often the same", "flush")] * 100)[0] == 202
    assert stored(service, "flush") == 4100
    patterns = {one["pattern"]: one["count"] for one in service.get("/patterns?source=flush&limit=1000")["patterns"]}
    assert patterns["often the same"] == 100, "what came often keeps its pattern"
    assert patterns["{OVERFLOW}"] > 0
    assert service.get("/stats")["aggregation"]["flushes_reduced"] > before
    assert "its totals are exact" in service.read_output()
