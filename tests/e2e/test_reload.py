"""SIGHUP: a changed plugins.toml takes effect, a wrong one changes nothing, and nobody notices but by the result."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.support.service import COMMAND, ServiceProcess

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n"
WITH_RULE = "[plugins.patterns]\nrules = [{ name = 'TICKET', regex = 'TCK-[a-z]+' }]\n[plugins.sqlite]\n"
DEADLINE = 240.0
StartService = Callable[..., ServiceProcess]


def reload(service: ServiceProcess, pipeline: str, expected: str) -> None:
    """Write the file, signal, and wait until the service's log has one more line with `expected`."""
    known = service.read_output().count(expected)
    service.plugins_file.write_text(pipeline)
    service.running.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + DEADLINE
    while service.read_output().count(expected) == known:
        assert time.monotonic() < deadline, service.read_output()
        assert service.running.poll() is None, service.read_output()
        time.sleep(0.02)


def patterns(service: ServiceProcess) -> Counter[str]:
    service.post("/flush")
    return Counter({row["pattern"]: row["count"] for row in service.get("/patterns?limit=1000")["patterns"]})


def test_a_rule_that_was_added_takes_effect(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    url = service.url
    service.post("/ingest", {"message": "closed TCK-abc"})
    reload(service, WITH_RULE, "INFO    reloaded")
    service.post("/ingest", {"message": "closed TCK-abc"})
    deadline = time.monotonic() + DEADLINE
    # The stored pattern leads to the one that its logs get now, once the service has looked at it.
    while (found := patterns(service)) != Counter({"closed {TICKET}": 2}):
        assert found == Counter({"closed TCK-abc": 1, "closed {TICKET}": 1})
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert service.url == url
    assert service.get("/stats")["logs"]["accepted"] == 2  # since the service started
    assert service.terminate() == 0


@pytest.mark.parametrize(
    ("pipeline", "complaint"),
    [
        ("[plugins.patterns\n", "not valid TOML"),
        ("[plugins.patterns]\nrule = []\n", "did you mean 'rules'?"),
        ("[plugins.nosuch]\n", "no installed package has a plugin of this name"),
    ],
)
def test_a_wrong_file_changes_nothing(start_service: StartService, pipeline: str, complaint: str) -> None:
    service = start_service(WITH_RULE)
    reload(service, pipeline, complaint)
    assert "nothing is reloaded" in service.read_output()
    service.post("/ingest", {"message": "closed TCK-abc"})
    assert patterns(service) == Counter({"closed {TICKET}": 1})
    assert "stopping" not in service.read_output()


def test_a_pipeline_that_cannot_start_gives_way_to_the_old_one(start_service: StartService, tmp_path: Path) -> None:
    service = start_service(WITH_RULE)
    service.post("/ingest", {"message": "closed TCK-abc"})
    twice = "[plugins.sqlite]\n[plugins.prometheus]\npath = '/same/'\n[plugins.dashboard]\npath = '/same/'\n"
    reload(service, twice, "the old one does")
    assert "is taken by another plugin" in service.read_output()
    deadline = time.monotonic() + DEADLINE
    while "INFO    reloaded" not in service.read_output():
        assert time.monotonic() < deadline, service.read_output()
        time.sleep(0.02)
    service.post("/ingest", {"message": "closed TCK-xyz"})
    assert patterns(service) == Counter({"closed {TICKET}": 2})


async def test_requests_during_reloads_are_answered_and_nothing_is_lost(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    over = asyncio.Event()
    accepted, refused = Counter[str](), Counter[int]()

    async def send(number: int) -> None:
        """One client on one connection: a request that gets no answer at all fails the test."""
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(service.url, connector=connector) as session:
            while not over.is_set():
                async with session.post(
                    "/ingest", json={"message": "steady as she goes", "source": f"s{number}"}
                ) as answer:
                    await answer.read()
                    if answer.status == 202:
                        accepted[f"s{number}"] += 1
                    else:
                        assert (answer.status, "Retry-After" in answer.headers) == (503, True)
                        refused[answer.status] += 1

    async def connect() -> None:
        """New connections are never refused."""
        host, port = service.url.removeprefix("http://").split(":")
        while not over.is_set():
            await asyncio.to_thread(lambda: socket.create_connection((host, int(port)), 10).close())
            await asyncio.sleep(0.02)

    async def reloads() -> None:
        try:
            for pipeline in (WITH_RULE, PIPELINE, "[plugins.patterns\n", WITH_RULE):
                expected = "nothing is reloaded" if pipeline.endswith("patterns\n") else "INFO    reloaded"
                before = accepted.total()
                await asyncio.to_thread(reload, service, pipeline, expected)
                while accepted.total() < before + 50:
                    await asyncio.sleep(0.01)
        finally:
            over.set()

    async with asyncio.timeout(90):
        await asyncio.gather(reloads(), connect(), *(send(number) for number in range(4)))
    service.post("/flush")
    (row,) = service.get("/patterns")["patterns"]
    assert Counter(row["sources"]) == accepted
    assert accepted.total() > 200
    print(f"{accepted.total()} accepted, {refused.total()} told to come again")


def test_the_command_says_what_became_of_it(start_service: StartService) -> None:
    service = start_service("[plugins.sqlite]\n[plugins.prometheus]\n")

    def run() -> tuple[int, str]:
        command = [COMMAND, "reload", "--url", service.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    service.plugins_file.write_text("[plugins.sqlite]\n[plugins.prometheus]\n[[rules]]\nsearch = 'a'\n")
    code, said = run()
    assert (code, "plugins.toml [[rules]] 1: expected one condition" in said) == (1, True), said
    service.plugins_file.write_text("[plugins.sqlite]\n[plugins.prometheus]\n[plugins.patterns]\n")
    assert run() == (0, "reloaded\n")
    assert service.get("/stats")["reloads"] == {"succeeded": 1, "failed": 1, "last_error": None}
    with urllib.request.urlopen(f"{service.url}/metrics") as answer:
        assert 'log_aggregator_reloads_total{outcome="failed"} 1.0' in answer.read().decode()


async def test_a_stream_ends_and_does_not_hold_up_the_reload(start_service: StartService) -> None:
    service = start_service("[plugins.sqlite]\n[plugins.dashboard]\n")
    async with aiohttp.ClientSession(service.url) as session, session.get("/dashboard/tail") as answer:
        await answer.content.readline()
        await asyncio.to_thread(reload, service, "[plugins.patterns]\n[plugins.sqlite]\n", "INFO    reloaded")
        async with asyncio.timeout(DEADLINE):
            await answer.content.read()
        async with session.get("/dashboard/tail") as gone:
            assert gone.status == 404


def test_all_workers_reload(start_service: StartService) -> None:
    service = start_service(PIPELINE, {"WORKERS": "2"})
    deadline = time.monotonic() + DEADLINE
    while service.get("/stats")["workers"] < 2:
        assert time.monotonic() < deadline, service.read_output()
        time.sleep(0.02)
    service.plugins_file.write_text(WITH_RULE)
    service.running.send_signal(signal.SIGHUP)
    while service.read_output().count("INFO    reloaded") < 2:
        assert time.monotonic() < deadline, service.read_output()
        time.sleep(0.02)
    for _ in range(40):
        assert service.post("/ingest", {"message": "closed TCK-abc"})[0] == 202
    assert patterns(service) == Counter({"closed {TICKET}": 40})
    assert service.terminate() == 0


def test_a_configuration_whose_tests_fail_is_not_taken(start_service: StartService) -> None:
    service = start_service(WITH_RULE)
    test = '[[tests]]\nmessage = "closed TCK-abc"\npattern = "closed {%s}"\n'
    reload(service, WITH_RULE.replace("TICKET", "OTHER") + test % "TICKET", "tests fail")
    output = service.read_output()
    assert "tests fail: plugins.toml [[tests]] 1: pattern; run `log-aggregator test`" in output
    assert "closed TCK" not in output
    service.post("/ingest", {"message": "closed TCK-abc"})
    assert patterns(service) == Counter({"closed {TICKET}": 1})
    reload(service, WITH_RULE.replace("TICKET", "OTHER") + test % "OTHER", "INFO    reloaded")
