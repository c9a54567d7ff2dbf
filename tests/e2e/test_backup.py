"""`verify`, `backup` and `restore`: a copy of a service under load goes on elsewhere, and each log counts once."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import aiohttp

from tests.support.service import COMMAND, PIPELINE, ServiceProcess, StartService

QUICK = {"AGGREGATION_WINDOW": "0.05", "RATE_LIMIT": "0"}


def command(service: ServiceProcess, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "DATA_DIR": str(service.data_dir), "PLUGINS_FILE": str(service.plugins_file)}
    return subprocess.run(
        [COMMAND, *arguments], env={**given, **environ}, capture_output=True, text=True, timeout=120, check=False
    )


class Load:
    """Sends batches of ten, each with a key, until it is told to stop; remembers which were acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self.stopped = False

    async def run(self, url: str) -> None:
        async with aiohttp.ClientSession() as session:
            while not self.stopped:
                key = f"batch-{len(self.acknowledged)}"
                await self.send(session, url, key)
                self.acknowledged.append(key)

    async def send(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        logs = [{"message": f"Worker {number} is done", "source": "load"} for number in range(10)]
        headers = {"Idempotency-Key": key}
        async with session.post(f"{url}/ingest/batch", json={"logs": logs}, headers=headers) as answer:
            assert answer.status == 202, await answer.text()


def stored(service: ServiceProcess) -> int:
    return sum(row["count"] for row in service.get("/patterns?limit=1000")["patterns"])


async def test_a_copy_of_a_service_under_load_goes_on_elsewhere_exactly_once(
    start_service: StartService, tmp_path: Path
) -> None:
    service = start_service(PIPELINE, QUICK, name="old")
    load = Load()
    sending = asyncio.create_task(load.run(service.url))
    copies = []
    for number in range(2):
        while len(load.acknowledged) < 40 * (number + 1):
            await asyncio.sleep(0.01)
        before = len(load.acknowledged)
        done = await asyncio.to_thread(command, service, "backup", str(tmp_path / f"copy-{number}"))
        assert done.returncode == 0, done.stderr
        copies.append((tmp_path / f"copy-{number}", before, len(load.acknowledged) + 1))
    load.stopped = True
    await sending
    service.kill()
    for copy, before, after in copies:
        new = ServiceProcess(_made(tmp_path / f"new-{copy.name}"), PIPELINE, QUICK)
        assert "start the service" in command(new, "restore", str(copy)).stdout
        try:
            await asyncio.to_thread(new.start)
            assert new.post("/flush")[0] == 200
            assert before * 10 <= stored(new) <= after * 10
            async with aiohttp.ClientSession() as session:
                # Clients send again what they are not sure of.
                await asyncio.gather(*(load.send(session, new.url, key) for key in load.acknowledged))
            assert new.post("/flush")[0] == 200
            assert stored(new) == 10 * len(load.acknowledged)
        finally:
            new.stop()


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def test_a_store_elsewhere_is_copied_and_put_where_the_configuration_says(
    start_service: StartService, tmp_path: Path
) -> None:
    pipeline = f"[plugins.patterns]\n[plugins.sqlite]\npath = '{tmp_path}/%s/store.sqlite3'\n"
    service = start_service(pipeline % "first", name="old")
    assert service.post("/ingest", {"message": "up"})[0] == 202
    assert service.post("/flush")[0] == 200
    assert command(service, "backup", str(tmp_path / "copy")).returncode == 0
    new = ServiceProcess(_made(tmp_path / "new"), pipeline % "second")
    done = command(new, "restore", str(tmp_path / "copy"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "second/store.sqlite3").is_file()
    try:
        assert stored(new.start()) == 1
    finally:
        new.stop()


def test_verify_reads_a_running_service_and_finds_damage(service: ServiceProcess) -> None:
    for number in range(3):
        assert service.post("/ingest", {"message": f"word {number}"})[0] == 202
    assert service.post("/flush")[0] == 200
    done = command(service, "verify")
    assert (done.returncode, done.stdout.count("good")) == (0, 2), done.stdout
    assert "3 logs in" in done.stdout
    service.kill()
    log = service.data_dir / "logs.sqlite3-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    done = command(service, "verify")
    assert done.returncode == 1
    assert "write-ahead log is damaged" in done.stdout
    assert log.read_bytes() == content, "it changes nothing"
    assert command(service, "backup", str(service.data_dir.parent / "copy")).returncode == 1
    service.start()
    assert stored(service) == 3
    assert service.get("/health")["status"] == "degraded"
    assert "damaged write-ahead log" in json.dumps(service.get("/health"))
    service.stop()
    assert command(service, "verify").returncode == 0


def test_verify_compares_the_counts_that_stand_three_times(service: ServiceProcess) -> None:
    assert service.post("/ingest", {"message": "word"})[0] == 202
    service.post("/flush")
    service.stop()
    with closing(sqlite3.connect(service.data_dir / "logs.sqlite3")) as connection, connection:
        connection.execute("UPDATE pattern_totals SET count = 9")
    done = command(service, "verify")
    assert done.returncode == 1
    assert "counts differ: 1 logs in rows, 1 by hours, 9 in all" in done.stdout
