"""Files, containers' logs and the journal through a running service."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from log_aggregator import Batch, ConfigError, Reject, hookimpl
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_files import FilesReceiver, names
from log_aggregator_files.config import FilesConfig
from log_aggregator_files.names import origin_of

ID = "ab" * 32


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 120
    while not await found():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def logs_of(running: Harness, count: int) -> dict[tuple[str, str, str], int]:
    """(message pattern, level, source) → count, once so many logs have come."""

    async def is_there() -> bool:
        return bool(running.plugin("files").stats()["logs"] >= count)

    await until(is_there)
    await running.flush()
    return {(one.pattern, one.level, one.source): one.count for one in await running.aggregates()}


def pipeline(**options: object) -> str:
    return "[plugins.files]\nidle = 0\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())


async def test_what_is_in_files_and_what_is_written_to_them(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "shop.log").write_text("started\nTraceback (most recent call last):\n  File x\nKeyError: 1\n\n")
    async with harness(pipeline(paths=[str(logs / "*.log")])) as running:
        assert set(await logs_of(running, 2)) == {
            ("started", "INFO", "shop"),
            ("Traceback (most recent call last):\n  File x\nKeyError: 1", "INFO", "shop"),
        }
        (logs / "pay.log").write_text('{"msg": "paid", "level": "error", "service": {"name": "own"}}\n')
        assert ("paid", "ERROR", "own") in await logs_of(running, 3)


async def test_containers_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker, pods = tmp_path / "docker" / ID, tmp_path / "pods"
    docker.mkdir(parents=True)
    pods.mkdir()
    (docker / f"{ID}-json.log").write_text(
        json.dumps({"log": "hello\n", "stream": "stderr", "time": "2026-11-30T10:00:00.5Z"}) + "\n"
    )
    (docker / "config.v2.json").write_text('{"Name": "/shop"}')
    (pods / "0.log").write_text("2026-11-30T10:00:00.5Z stdout F from a pod\n")
    links = tmp_path / "containers"
    links.mkdir()
    (links / f"pay-7d_prod_payment-{ID}.log").symlink_to(pods / "0.log")
    monkeypatch.setattr("log_aggregator_files.plugin.DOCKER", str(tmp_path / "docker/*/*-json.log"))
    monkeypatch.setattr("log_aggregator_files.plugin.KUBERNETES", str(links / "*.log"))
    async with harness(pipeline(docker=True, kubernetes=True)) as running:
        assert set(await logs_of(running, 2)) == {("hello", "INFO", "shop"), ("from a pod", "INFO", "payment")}
        (pods / "0.log").rename(pods / "0.log.20261130-101500")
        (pods / "0.log").write_text("2026-11-30T10:15:01Z stdout F after rotation\n")
        assert ("after rotation", "INFO", "payment") in await logs_of(running, 3)


@pytest.mark.parametrize(
    ("path", "source", "metadata"),
    [
        ("/srv/shop.log", "shop", {}),
        ("/var/log/syslog", "", {}),
        ("/var/log/nginx/access.log", "access", {}),
        (f"/var/log/containers/a-1_ns_web-{ID}.log", "web", {"pod": "a-1", "namespace": "ns"}),
        (f"/nowhere/{ID}/{ID}-json.log", ID[:12], {"container_id": ID[:12]}),
    ],
)
def test_a_path_tells_the_source(path: str, source: str, metadata: dict[str, str]) -> None:
    assert origin_of(path) == names.Origin(source, metadata)


JOURNALCTL = """#!{python}
import json, os, sys
after = next((int(a.split("=")[1]) for a in sys.argv if a.startswith("--after-cursor=")), 0)
for number in range(after + 1, int(os.environ["LAST_ENTRY"]) + 1):
    print(json.dumps({{"__CURSOR": str(number), "MESSAGE": f"entry", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "sshd",
                      "__REALTIME_TIMESTAMP": "1764500000000000"}}), flush=True)
if "--follow" in sys.argv:
    sys.stdin.read()
    import time
    time.sleep(600)
"""


async def test_the_journal_goes_on_at_its_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(JOURNALCTL.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for last, new in ((5, 5), (8, 3)):
        monkeypatch.setenv("LAST_ENTRY", str(last))
        async with harness(pipeline(journald=True), data_dir=tmp_path / "data") as running:
            assert await logs_of(running, new) == {("entry", "ERROR", "sshd"): new}


async def test_a_restart_goes_on_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    path.write_text("one\n")
    for lines, new in (("", 1), ("two\nthree\n", 2)):
        with path.open("a") as file:
            file.write(lines)
        async with harness(pipeline(paths=[str(path)]), data_dir=tmp_path / "data") as running:
            assert sum((await logs_of(running, new)).values()) == new


async def test_what_a_stage_refuses_does_not_stop_the_file(tmp_path: Path) -> None:
    class Censor:
        @hookimpl
        def on_ingest(self, batch: Batch) -> None:
            if any(record.message == "banned" for record in batch):
                raise Reject("banned")

    path = tmp_path / "shop.log"
    path.write_text("banned\n")
    async with harness(pipeline(paths=[str(path)]), given={"censor": Censor()}) as running:

        async def is_refused() -> bool:
            return bool(running.plugin("files").stats()["rejected"])

        await until(is_refused)
        with path.open("a") as file:
            file.write("good\n")
        assert await logs_of(running, 1) == {("good", "INFO", "shop"): 1}


async def test_a_file_that_cannot_be_read_is_named_by_health(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    async with harness(pipeline(paths=[str(tmp_path / "directory")])) as running:

        async def is_named() -> bool:
            return "directory: Is a directory" in json.dumps(await running.get("/health"))

        await until(is_named)


@pytest.mark.parametrize(
    ("options", "says"),
    [({}, "expected one, such as paths"), ({"paths": ["relative.log"]}, "expected an absolute path")],
)
def test_wrong_options_are_named(options: dict[str, object], says: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=says):
        FilesReceiver(FilesConfig.model_validate(options))
