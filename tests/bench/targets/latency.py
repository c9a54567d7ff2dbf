"""How long a durable single log takes at half load: the highest rate first, then half of it."""

from __future__ import annotations

import statistics

from tests.bench import candidates, corpus, load
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE, Options, Row, spread

WANTED_MS = 30.0
CONNECTIONS = 64
DIFFERENT_BODIES = 14_000


def rows(options: Options, progress: Progress) -> list[Row]:
    """The highest rate of 64 connections that send as fast as they are answered, then p99 at half of that rate.

    At half load requests come at fixed times; their latency counts from when they were due, so that a request
    that has to wait for a slow one before it is not left out.
    """
    bodies = corpus.bodies(DIFFERENT_BODIES, 1)
    with candidates.ours(SERVER_CORE) as server:
        _send(server, bodies, 1.0)  # warm
        highest = []
        for number in range(options.rounds):
            progress.step(f"p99 at half load: highest rate, round {number + 1} of {options.rounds}")
            highest.append(_send(server, bodies, options.seconds))
        rate = statistics.median(run["rate"] for run in highest) / 2
        runs = []
        for number in range(options.rounds):
            progress.step(f"p99 at half load: {rate:,.0f} logs/s, round {number + 1} of {options.rounds}")
            runs.append(_send(server, bodies, options.seconds, rate))
    p99 = spread(run["p99_ms"] for run in runs)
    others = ", ".join(f"{name} {statistics.median(run[f'{name}_ms'] for run in runs):.1f}" for name in ("p50", "p999"))
    measured = f"{p99} ms at {rate:,.0f} logs/s; {others} ms"
    what, wanted = "p99 of a durable single ingest at half load", f"<= {WANTED_MS:.0f} ms"
    return [Row(what, wanted, measured, p99.median <= WANTED_MS, {"rate": rate, "highest": highest, "half": runs})]


def _send(server: candidates.Server, bodies: list[bytes], seconds: float, rate: float = 0.0) -> dict[str, float]:
    sent = load.run(load.Load(f"{server.url}/ingest", bodies, CONNECTIONS, seconds, rate=rate, anew=True), LOAD_CORE)
    candidates.flush(server)
    if sent.failed:
        raise RuntimeError(f"{sent.failed} requests were refused")
    return {
        "rate": sent.requests / sent.seconds,
        "p50_ms": sent.p50,
        "p99_ms": sent.p99,
        "p999_ms": sent.p999,
        "generator_cpu_share": sent.cpu / sent.seconds,
    }
