"""A service with a misbehaving plugin under a steady load: what good senders see while it misbehaves and while not."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.service import ServiceProcess

HERE = Path(__file__).parent
CONNECTIONS = 4
PERIOD = 0.03
"""Seconds between two requests of one connection."""

PHASE = 0.4
LOGS = 10
DEADLINE = 120.0
NOISE = 0.02
"""Seconds: two measurements of the same thing differ by so much on a busy machine."""


class Bench:
    """One service, its switch, and what was seen of it."""

    def __init__(
        self, directory: Path, kind: str, how: str, options: str = "", environ: Any = None, mutant: str = ""
    ) -> None:
        self.switch = directory / "on"
        table = f'[plugins.bad]\nhow = "{how}"\nswitch = "{self.switch}"\n{options}\n'
        order = [table, "[plugins.sqlite]\n"] if kind != "Sink" else ["[plugins.sqlite]\n", table, "[plugins.other]\n"]
        install(directory / "site", kind)
        settings = {
            "PYTHONPATH": str(directory / "site"),
            "LOG_FORMAT": "json",
            "AGGREGATION_WINDOW": "0.1",
            **(environ or {}),
        }
        command = [sys.executable, str(HERE / "mutants" / f"{mutant}.py")] if mutant else None
        self.service = ServiceProcess(directory, "".join(order), settings, command)
        self.acknowledged = 0
        self.failed: list[Any] = []
        self.latencies: dict[bool, list[float]] = {False: [], True: []}

    async def rounds(self, number: int) -> None:
        """Quiet and misbehaving phases in turn."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            for _ in range(number):
                for misbehaving in (False, True):
                    await self.phase(session, misbehaving)

    async def phase(self, session: aiohttp.ClientSession, misbehaving: bool) -> None:
        """Send at a steady rate for a while."""
        self.switch.touch() if misbehaving else self.switch.unlink(missing_ok=True)
        until = time.perf_counter() + PHASE
        await asyncio.gather(*(self._send(session, until, misbehaving) for _ in range(CONNECTIONS)))

    async def _send(self, session: aiohttp.ClientSession, until: float, misbehaving: bool) -> None:
        number = 0
        while (started := time.perf_counter()) < until:
            logs = [{"message": f"job {number % 7} part {part}", "source": "load"} for part in range(LOGS)]
            async with session.post(f"{self.service.url}/ingest/batch", json={"logs": logs}) as answer:
                body = await answer.json()
                if answer.status == 202 and body["accepted"] == LOGS:
                    self.acknowledged += LOGS
                else:
                    self.failed.append((answer.status, body))
            self.latencies[misbehaving].append(time.perf_counter() - started)
            number += 1
            await asyncio.sleep(max(0.0, PERIOD - (time.perf_counter() - started)))

    async def until_complaint(self) -> str:
        """Wait until `/health` names the plugin; what it says."""
        async with asyncio.timeout(DEADLINE):
            while not (complaint := await asyncio.to_thread(self.complaint)):
                await asyncio.sleep(0.05)
        return complaint

    def slower(self) -> float:
        """How much slower the slowest hundredth was while the plugin misbehaved: a ratio, noise taken out."""
        return (p99(self.latencies[True]) - NOISE) / p99(self.latencies[False])

    def counted(self) -> int:
        """What the store holds after a flush."""
        self.switch.unlink(missing_ok=True)
        self.service.post("/flush", {})
        total, cursor = 0, ""
        while True:
            page = self.service.get(f"/patterns?limit=1000{cursor}")
            total += sum(row["count"] for row in page["patterns"])
            if not page.get("cursor"):
                return total
            cursor = f"&cursor={page['cursor']}"

    def events(self, text: str) -> list[dict[str, Any]]:
        """The service's log lines of one event."""
        lines = (line for line in self.service.read_output().splitlines() if line.startswith("{"))
        return [entry for entry in map(json.loads, lines) if text in entry["event"]]

    def complaint(self) -> str:
        """What `/health` says of the plugin."""
        checks = self.service.get("/health")["checks"]
        bad = [check for name, check in checks.items() if name in ("plugin bad", "sink bad") and not check["ok"]]
        return " ".join(str(check["detail"]) for check in bad)


def install(site: Path, kind: str) -> None:
    """Put the plugins where a service with this `PYTHONPATH` finds them, as `bad` and, a good one, as `other`."""
    info = site / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(HERE / "misbehaving.py", site / "misbehaving.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    points = f"[log_aggregator.plugins]\nbad = misbehaving:{kind}\nother = misbehaving:Witness\n"
    (info / "entry_points.txt").write_text(points)


def p99(values: list[float]) -> float:
    """The value that one in a hundred exceeds."""
    return sorted(values)[int(len(values) * 0.99)]


async def measure(bench: Bench, allowed: float = 2.0, attempts: int = 3) -> None:
    """Load until the misbehavior has shown itself to cost little, or has not in all attempts."""
    for _ in range(attempts):
        bench.latencies = {False: [], True: []}
        await bench.rounds(2)
        if bench.slower() <= allowed:
            break
