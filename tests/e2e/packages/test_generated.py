"""A package of each kind, as `log-aggregator new` writes it: installed, tested, enabled, at work, disabled, gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.packages.clean import CleanEnvironment
from tests.support.service import ServiceProcess

STORE = "[plugins.patterns]\n[plugins.sqlite]\n"
DEADLINE = 60.0


@pytest.fixture
def serve(clean: CleanEnvironment, tmp_path: Path) -> Iterator[Callable[[str], ServiceProcess]]:
    """Start the service of the clean environment with a pipeline, on the same data as before."""
    started: list[ServiceProcess] = []
    (tmp_path / "service").mkdir()

    def start(pipeline: str) -> ServiceProcess:
        for service in started:
            service.stop()
        command = [str(clean.programs / "log-aggregator")]
        started.append(ServiceProcess(tmp_path / "service", pipeline, command=command))
        return started[-1].start()

    yield start
    for service in started:
        service.stop()


def rows(service: ServiceProcess, **fields: Any) -> list[dict[str, Any]]:
    """Send a log, flush, and return what the store has of its source."""
    assert service.post("/ingest", fields)[0] == 202
    service.post("/flush", {})
    found: list[dict[str, Any]] = service.get(f"/patterns?source={fields['source']}")["patterns"]
    return found


def rules_work(service: ServiceProcess, source: str, _: Path) -> bool:
    found = rows(service, message="order ORD-123456 shipped", source=source)
    return [row["pattern"] for row in found] == ["order {ORDER} shipped"]


def stage_works(service: ServiceProcess, source: str, _: Path) -> bool:
    return rows(service, message="timeout again", source=source)[0]["tags"] == {"slow": 1}


def sink_works(service: ServiceProcess, source: str, directory: Path) -> bool:
    rows(service, message="stored in a file", source=source)
    return any(source in path.read_text() for path in directory.glob("*.jsonl"))


def receiver_works(service: ServiceProcess, source: str, directory: Path) -> bool:
    with (directory / "app.log").open("a") as file:
        file.write(f"line while {source}\n")
    deadline = time.monotonic() + (DEADLINE if source == "enabled" else 2.0)
    while time.monotonic() < deadline:
        rows(service, message="another", source=source)
        if service.get(f"/patterns?q=while%20{source}")["patterns"]:
            return True
        time.sleep(0.1)
    return False


TABLES = {
    "rules": "",
    "stage": 'words = { timeout = "slow" }\n',
    "sink": 'directory = "{directory}"\n',
    "receiver": 'path = "{directory}/app.log"\ninterval = 0.1\n',
}
EFFECTS = {"rules": rules_work, "stage": stage_works, "sink": sink_works, "receiver": receiver_works}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_from_nothing_to_a_plugin_that_works(
    clean: CleanEnvironment, tmp_path: Path, serve: Callable[[str], ServiceProcess], kind: str
) -> None:
    name = f"made-{kind}"
    clean.run("log-aggregator", "new", kind, name, cwd=tmp_path)
    package = tmp_path / f"log-aggregator-{name}"
    clean.install("--no-deps", "--no-build-isolation", str(package))
    assert "passed" in clean.run("pytest", "-q", "-p", "no:cacheprovider", cwd=package)
    listed = clean.run("log-aggregator", "plugins", cwd=package)
    assert f"log-aggregator-{name} 0.1.0" in listed
    assert " on" in next(line for line in listed.splitlines() if name in line)
    assert "good. The pipeline" in clean.run("log-aggregator", "check", cwd=package)

    table = TABLES[kind].replace("{directory}", str(tmp_path))
    effect = EFFECTS[kind]
    assert effect(serve(f"[plugins.{name}]\n{table}{STORE}"), "enabled", tmp_path)
    assert not effect(serve(f"[plugins.{name}]\nenabled = false\n{table}{STORE}"), "disabled", tmp_path)
