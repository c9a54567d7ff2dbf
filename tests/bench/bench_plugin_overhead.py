"""What the machinery of plugins costs: the service with five plugins that do nothing, beside the same without them."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.load import Load, run
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, shown
from tests.support.service import ServiceProcess

LIMIT = 0.03
"""The share of ingest throughput that five plugins may cost."""

PLUGINS = 5
ROUNDS = 5
"""For each round that is asked for: they are short."""

WARM_UP = 1
CONNECTIONS = 16
SECONDS = 0.7
LOGS = 4_000
PIPELINE = "[plugins.redact]\n[plugins.patterns]\n[plugins.classify]\n[plugins.sqlite]\n"
NOOP = """
from contextlib import asynccontextmanager
from pydantic import BaseModel, ConfigDict
from log_aggregator import hookimpl

class Noop:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
    def __init__(self, config): ...
    @hookimpl
    def on_ingest(self, batch):
        LOOP
    @hookimpl
    def normalize(self, batch):
        LOOP
    @hookimpl
    def enrich(self, batch):
        LOOP
    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        yield
"""


LOOPS = {
    "groups": "for group in batch.groups(): group.shape",
    "records": "for record in batch: record.message",
}


class Candidate:
    """A running service. `cpu` has the processor time per request of each round."""

    def __init__(self, directory: Path, pipeline: str, environ: dict[str, str]) -> None:
        directory.mkdir()
        self.service = ServiceProcess(directory, pipeline, environ).start()
        self._process = psutil.Process(self.service.running.pid)
        self.cpu: list[float] = []

    def round(self, path: str, bodies: list[bytes]) -> None:
        """Post the bodies over and over, as fast as answers come, and flush."""
        before = self._used()
        outcome = run(Load(self.service.url + path, bodies, CONNECTIONS, SECONDS))
        self.service.post("/flush")
        assert not outcome.failed
        self.cpu.append((self._used() - before) / outcome.requests)

    def _used(self) -> float:
        return float(sum(self._process.cpu_times()[:2]))


class Overhead(NamedTuple):
    """What the plugins add to the processor time, how far the middle half of the rounds lies apart, and of what.

    `request` is the processor time of one request without them, in seconds.
    """

    share: float
    spread: float
    request: float


def overhead(batch: int, rounds: int, form: str = "groups") -> Overhead:
    """What five plugins add to the processor time of a request; `batch` logs a request.

    `form`: their hooks loop over the `groups` of a batch, or over its `records` one by one.

    The two services take turns, so that what else happens on the machine strikes both; the median of the
    rounds' ratios leaves out those that it struck.
    """
    path, bodies = _bodies(batch)
    with tempfile.TemporaryDirectory(prefix="overhead-") as home:
        site = _install(Path(home) / "site", form)
        tables = "".join(f"[plugins.noop{number}]\n" for number in range(PLUGINS))
        environ = {"PYTHONPATH": str(site)}
        candidates = [
            Candidate(Path(home) / "without", PIPELINE, environ),
            Candidate(Path(home) / "with", tables + PIPELINE, environ),
        ]
        try:
            for number in range(rounds + WARM_UP):
                for candidate in candidates if number % 2 else candidates[::-1]:
                    candidate.round(path, bodies)
        finally:
            for candidate in candidates:
                candidate.service.stop()
    without, added = (candidate.cpu[WARM_UP:] for candidate in candidates)
    ratios = [b / a - 1 for a, b in zip(without, added, strict=True)]
    low, middle, high = quantiles(ratios, n=4)
    return Overhead(middle, high - low, median(without))


def _bodies(batch: int) -> tuple[str, list[bytes]]:
    from log_aggregator_service.demo import stream

    logs = list(itertools.islice(stream(), LOGS))
    if batch == 1:
        return "/ingest", [json.dumps(log).encode() for log in logs]
    groups = [logs[start : start + batch] for start in range(0, len(logs), batch)]
    return "/ingest/batch", [json.dumps({"logs": group}).encode() for group in groups]


def _install(site: Path, form: str) -> Path:
    info = site / "noop-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "noop.py").write_text(NOOP.replace("LOOP", LOOPS[form]))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noop\nVersion: 1.0\n")
    points = "".join(f"noop{number} = noop:Noop\n" for number in range(PLUGINS))
    (info / "entry_points.txt").write_text(f"[log_aggregator.plugins]\n{points}")
    return site


def rows(options: Options, progress: Progress) -> list[Row]:
    """What five plugins cost, for batches and for single logs."""
    found = []
    for batch, form in ((100, "groups"), (100, "records"), (1, "groups")):
        progress.step(f"{PLUGINS} plugins that only loop over {form}, {batch} logs a request")
        cost = overhead(batch, ROUNDS * options.rounds, form)
        measured = f"{cost.share:+.2%} (middle half of the rounds within {cost.spread:.1%})"
        what = (
            f"CPU that {PLUGINS} plugins add which do nothing and take {form}, "
            f"{batch} logs a request of {cost.request * 1e6:,.0f} µs"
        )
        found.append(Row(what, f"< {LIMIT:.0%}", measured, cost.share < LIMIT, cost._asdict()))
    return found


if __name__ == "__main__":
    print(shown(rows(Options(), Progress())))
