"""A whole service on a real server: what it acknowledged is stored once, through kills of both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.nats import NatsCluster, needs_nats
from tests.support.service import ServiceProcess

pytestmark = needs_nats


def pipeline(cluster: NatsCluster, partitions: int = 2, **more: object) -> str:
    options = {"servers": cluster.servers, "replicas": cluster.size, "partitions": partitions, **more}
    lines = [f"{name} = {str(value) if isinstance(value, int) else value!r}" for name, value in options.items()]
    return "\n".join(['[journal]\nkind = "jetstream"', *lines, "[plugins.patterns]\n\n[plugins.sqlite]\n"])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def service(tmp_path: Path, cluster: NatsCluster) -> Iterator[ServiceProcess]:
    environ = {"AGGREGATION_WINDOW": "0.5"}
    service = ServiceProcess(tmp_path, pipeline(cluster, member="one", window=30, patience=1), environ)
    try:
        yield service.start()
    finally:
        service.stop()


def batch(name: str, count: int = 10) -> list[dict[str, str]]:
    return [{"message": f"{name} {number}", "source": "app"} for number in range(count)]


def stored(service: ServiceProcess) -> int:
    return sum(pattern["count"] for pattern in service.get("/patterns")["patterns"])


def wait_for(service: ServiceProcess, count: int) -> None:
    end = time.monotonic() + 30
    while (found := stored(service)) < count and time.monotonic() < end:
        time.sleep(0.05)
    assert found == count


def test_what_was_acknowledged_is_stored_once_through_a_kill(service: ServiceProcess) -> None:
    for number in range(5):
        status, _ = service.post("/ingest", batch("plain"))
        assert status == 202
        status, answer = service.post("/ingest", batch("keyed"), {"Idempotency-Key": f"k{number}"})
        assert (status, answer.get("duplicate", False)) == (202, False)
    service.kill()
    service.start()
    for number in range(5):
        status, answer = service.post("/ingest", batch("keyed"), {"Idempotency-Key": f"k{number}"})
        assert (status, answer["duplicate"]) == (202, True)
    assert service.get("/health")["status"] == "healthy"
    assert service.post("/ingest", batch("other"), {"Idempotency-Key": "k0"})[0] == 422
    assert service.post("/flush")[1]["sealed"] is True
    assert stored(service) == 100
    stats = service.get("/stats")
    assert (stats["instance"], stats["logs"]["duplicates"]) == ("one", 5)


def test_a_server_that_is_away_is_a_503_and_costs_nothing(service: ServiceProcess, cluster: NatsCluster) -> None:
    assert service.post("/ingest", batch("before"))[0] == 202
    cluster.kill(0)
    assert service.post("/ingest", batch("during"), {"Idempotency-Key": "again"})[0] == 503
    with pytest.raises(HTTPError) as unhealthy:
        service.get("/health")
    with unhealthy.value:
        assert unhealthy.value.code == 503
    cluster.start(0)
    cluster.wait_until_ready()
    end = time.monotonic() + 30
    while service.post("/ingest", batch("during"), {"Idempotency-Key": "again"})[0] != 202:
        assert time.monotonic() < end
    wait_for(service, 20)


def test_a_clean_stop_leaves_nothing_unsealed(service: ServiceProcess) -> None:
    for _ in range(3):
        assert service.post("/ingest", batch("all"))[0] == 202
    assert service.terminate() == 0
    assert "the rest is in the journal" not in service.read_output()
    service.start()
    assert stored(service) == 30
