"""A service for one point of an axis: started, given rounds of logs, and asked what they cost."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import psutil

from tests.bench.scale.sending import Sent, send
from tests.bench.scale.watching import Watcher
from tests.bench.scale.world import World, rounds
from tests.support.service import ServiceProcess

CORES = sorted(os.sched_getaffinity(0))
FOR_EVER = 3600
ROOM = 400_000
"""Patterns that fit: the caps are above every axis, so that a cap never hides what growth costs."""

PIPELINE = f"""[plugins.redact]
[plugins.patterns]
[plugins.templates]
max_templates = {ROOM}
max_per_source = {ROOM}
[plugins.classify]
"""

NOOP = '''
from pydantic import BaseModel, ConfigDict
from log_aggregator import Batch, hookimpl

class Noop:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
    def __init__(self, config): ...
    @hookimpl
    def on_ingest(self, batch): ...
    @hookimpl
    def normalize(self, batch): ...
    @hookimpl
    def enrich(self, batch): ...

class ByPattern(Noop):
    """Looks through all patterns and sources seen, once a log."""
    def __init__(self, config):
        self.seen = []
    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            mark = record.source + record.message[:16]
            if not [one for one in self.seen if one.casefold().split() == mark.split()]:
                self.seen.append(mark)

class ByBatch(Noop):
    """Compares every log of a batch with every other."""
    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            [other for other in batch if other.message.split() == record.message.split()]

class ByLength(Noop):
    """Looks at the rest of the message from each of its characters on."""
    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            [record.message[at:].casefold().upper() for at in range(len(record.message))]
'''


MUTANTS = {"by_pattern": "ByPattern", "by_batch": "ByBatch", "by_length": "ByLength"}
"""Plugins with the bugs that the bench is there for: name → class."""


class Cost(NamedTuple):
    """What rounds of logs cost the service: its CPU time, its memory afterwards, the requests' latencies.

    `longest` is the slowest answer to `GET /health` meanwhile. All times are in seconds.
    """

    logs: int
    seconds: float
    resident: int
    p99: float
    longest: float
    refusals: int = 0
    held_up: int = 0

    @property
    def per_log(self) -> float:
        """CPU microseconds."""
        return self.seconds * 1e6 / self.logs


class Rig:
    """A running service. `clock` is the CPU time that its process has used, in seconds."""

    def __init__(self, service: ServiceProcess) -> None:
        self.service = service
        self.pid = service.running.pid
        self._process = psutil.Process(self.pid)

    def clock(self) -> float:
        """CPU seconds so far: the clock of another process, which the kernel numbers by its pid."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident(self) -> int:
        """Bytes in RAM now."""
        return int(self._process.memory_info().rss)

    def send(self, bodies: list[bytes], world: World) -> Sent:
        """Send the bodies of a round."""
        path = "/ingest" if world.batch == 1 else "/ingest/batch"
        return send(self.service.url + path, bodies, world.connections)

    def flush(self, deadline: float = 60) -> bool:
        """Let all that was sent be stored; whether it is."""
        answer = self.service.post(f"/flush?deadline={deadline:g}")[1]
        return bool(answer["sealed"]) and all(sink["outcome"] == "stored" for sink in answer["sinks"].values())

    def left_out(self) -> int:
        """How often a plugin was left out, because it had held up the event loop or failed."""
        return self.service.read_output().count("plugin left out for a while")

    def cost(self, bodies: list[list[bytes]], world: World) -> Cost:
        """What some rounds cost, each with its flush."""
        before = self.clock()
        latencies: list[float] = []
        refusals = 0
        with Watcher(self.service.url) as watcher:
            for one in bodies:
                sent = self.send(one, world)
                latencies += sent.latencies
                refusals += sent.refusals
                if not self.flush():
                    raise RuntimeError(f"the flush was not stored:\n{self.service.read_output()[-2000:]}")
        used = self.clock() - before
        p99 = quantiles(latencies, n=100)[98] if len(latencies) > 1 else latencies[0]
        return Cost(len(bodies) * world.logs, used, self.resident(), p99, watcher.longest, refusals)


@contextmanager
def running(world: World, store: str = "[plugins.sqlite]\n", extra: str = "", **environ: str) -> Iterator[Rig]:
    """The product with its default plugins, on a core of its own; flushes come only when asked for.

    `extra` names a plugin of `NOOP` that is put before the others.
    """
    with tempfile.TemporaryDirectory(prefix="scale-", dir=os.environ.get("BENCH_DIR")) as home:
        names = [f"noop{number}" for number in range(world.plugins)]
        _install(Path(home) / "site", {**dict.fromkeys(names, "Noop"), **MUTANTS})
        settings = {
            "PYTHONPATH": str(Path(home) / "site"),
            "BATCH_SIZE": str(10**9),
            "AGGREGATION_WINDOW": str(FOR_EVER),
            "AGGREGATION_BUCKET": "86400",
            "MAX_METADATA_KEYS": "128",
            "MAX_BODY_BYTES": str(256 << 20),
            "MAX_DECOMPRESSED_BYTES": str(256 << 20),
            "BODY_TIMEOUT": "600",
            "LOG_LEVEL": "WARNING",
            **environ,
        }
        tables = "".join(f"[plugins.{name}]\n" for name in [*([extra] if extra else []), *names])
        command = ["taskset", "-c", str(CORES[0]), str(Path(sys.executable).with_name("log-aggregator"))]
        service = ServiceProcess(Path(home), tables + PIPELINE + store, settings, command=command)
        try:
            yield Rig(service.start())
        finally:
            service.stop()


def warm(rig: Rig) -> None:
    """Let the service do everything once, with logs of another world."""
    world = World(patterns=200, keys=0)
    rig.send([body.replace(b"source-", b"warm-") for body in next(rounds(world, seed=99))], world)
    rig.flush()


def _install(site: Path, plugins: dict[str, str]) -> None:
    info = site / "noop-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "noop.py").write_text(NOOP)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noop\nVersion: 1.0\n")
    points = "".join(f"{name} = noop:{kind}\n" for name, kind in plugins.items())
    (info / "entry_points.txt").write_text(f"[log_aggregator.plugins]\n{points}")
