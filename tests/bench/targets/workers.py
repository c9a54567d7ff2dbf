"""What a second core brings: two workers on two cores against one worker on one.

There are only two cores, and the load generator needs a part of them. One worker runs on core 0 with the generator
on core 1; two workers share both cores with the generator. Three ratios are told:

- raw: logs/s of two over logs/s of one. It says too little, because the generator takes from the two.
- corrected: the two workers had `2 - g` cores, where `g` is the CPU that the generator used a second. With two whole
  cores they would have done `2 / (2 - g)` times as much, if what they do grows with what they are given: that, over
  logs/s of one. It is right when all cores are busy all the time, so the busy share is told, too.
- by CPU: twice the logs per server CPU second of two over those of one: what two busy cores could bring at most. It
  knows nothing of the generator; what waiting costs (for a lock, for the disk) is not in it.
"""

from __future__ import annotations

import statistics
import time

from tests.bench import candidates, corpus, load
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE, Options, Row, spread

WANTED = 1.6
SIZE, CONNECTIONS = 1000, 16
BODIES = 200
"""Prepared, so that the generator has little to do."""

BOTH = f"{SERVER_CORE},{LOAD_CORE}"


def rows(options: Options, progress: Progress) -> list[Row]:
    """One and two workers in turn, the first one changing; ratios pair by pair."""
    bodies = corpus.bodies(BODIES, SIZE)
    runs: dict[str, list[dict[str, float]]] = {"one": [], "two": []}
    with candidates.ours(SERVER_CORE) as one, candidates.ours(BOTH, WORKERS="2") as two:
        servers = {"one": (one, {LOAD_CORE}), "two": (two, {SERVER_CORE, LOAD_CORE})}
        for server, cores in servers.values():
            measure(server, bodies, 1.0, cores)  # warm
        for number in range(options.rounds):
            for name in list(servers)[:: -1 if number % 2 else 1]:
                progress.step(f"two workers against one: round {number + 1} of {options.rounds}, {name}")
                server, cores = servers[name]
                runs[name].append(measure(server, bodies, options.seconds, cores))
    return [_row(runs)]


def measure(server: candidates.Server, bodies: list[bytes], seconds: float, cores: set[int]) -> dict[str, float]:
    """One run, until everything that was sent is stored; CPU in cores: CPU seconds a second."""
    used, by_worker = server.cpu(), server.cpu_by_child()
    sent = load.run(load.Load(f"{server.url}/ingest/batch", bodies, CONNECTIONS, seconds), cores)
    began = time.perf_counter()
    candidates.flush(server)
    if sent.failed:
        raise RuntimeError(f"{sent.failed} requests were refused")
    took = sent.seconds + time.perf_counter() - began
    cpu = server.cpu() - used
    shares = [now - by_worker.get(child, 0.0) for child, now in server.cpu_by_child().items()]
    return {
        "logs_per_second": sent.accepted / took,
        "logs_per_cpu_second": sent.accepted / cpu,
        "server_cores": cpu / took,
        "generator_cores": sent.cpu / took,
        "busiest_worker_share": max(shares) / sum(shares) if shares else 1.0,
    }


def corrected(run: dict[str, float], cores: int = 2) -> float:
    """Logs/s that the workers would do if the generator used nothing of their cores."""
    return run["logs_per_second"] * cores / (cores - run["generator_cores"])


def _row(runs: dict[str, list[dict[str, float]]]) -> Row:
    pairs = list(zip(runs["one"], runs["two"], strict=True))
    raw = spread(b["logs_per_second"] / a["logs_per_second"] for a, b in pairs)
    fair = spread(corrected(b) / a["logs_per_second"] for a, b in pairs)
    by_cpu = spread(2 * b["logs_per_cpu_second"] / a["logs_per_cpu_second"] for a, b in pairs)
    middle = {name: {key: statistics.median(run[key] for run in of) for key in of[0]} for name, of in runs.items()}
    one, two = middle["one"], middle["two"]
    busy = (two["server_cores"] + two["generator_cores"]) / 2
    measured = (
        f"raw {raw}, corrected {fair}, by CPU {by_cpu}; "
        f"{one['logs_per_second']:,.0f} and {two['logs_per_second']:,.0f} logs/s; the generator used "
        f"{one['generator_cores']:.2f} and {two['generator_cores']:.2f} cores, with two the cores were {busy:.0%} busy"
    )
    ratios = {"raw": raw._asdict(), "corrected": fair._asdict(), "by_cpu": by_cpu._asdict()}
    return Row(
        "two workers on two cores against one, batches of 1000",
        f">= {WANTED}",
        measured,
        fair.median >= WANTED,
        {**ratios, "runs": runs},
    )
