"""What the disk costs: durable against memory, batches of 100, 64 connections."""

from __future__ import annotations

from tests.bench import candidates, corpus
from tests.bench.ingest.measure import Shape, measure
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import SERVER_CORE, Options, Row, spread

SHAPE = Shape("batches of 100", 100, 64)
WANTED = 0.8


def rows(options: Options, progress: Progress) -> list[Row]:
    """Both services in turn, the first one changing; what counts is the ratio pair by pair.

    By CPU: logs per CPU second of the server. By time: logs a second, until the last of them is stored.
    """
    bodies = corpus.bodies(2000, SHAPE.size)
    runs: dict[str, list[dict[str, float]]] = {"durable": [], "memory": []}
    with candidates.ours(SERVER_CORE) as durable, candidates.ours(SERVER_CORE, DURABILITY="memory") as memory:
        servers = {"durable": durable, "memory": memory}
        for server in servers.values():
            measure(server, SHAPE, 1.0, bodies)  # warm
        for number in range(options.rounds):
            for name in list(servers)[:: -1 if number % 2 else 1]:
                progress.step(f"durable against memory: round {number + 1} of {options.rounds}, {name}")
                figures = measure(servers[name], SHAPE, options.seconds, bodies)
                sent = figures["logs_per_second"] * options.seconds
                figures["logs_stored_per_second"] = sent / (options.seconds + figures["drained_seconds"])
                runs[name].append(figures)
    pairs = list(zip(runs["durable"], runs["memory"], strict=True))
    return [
        _row("logs per CPU second", [a["logs_per_cpu_second"] / b["logs_per_cpu_second"] for a, b in pairs], runs),
        _row("logs/s", [a["logs_stored_per_second"] / b["logs_stored_per_second"] for a, b in pairs], runs),
    ]


def _row(by: str, ratios: list[float], runs: dict[str, list[dict[str, float]]]) -> Row:
    found = spread(ratios)
    what = f"durable against memory, {SHAPE.name}, {SHAPE.connections} connections: {by}"
    return Row(what, f">= {WANTED:.0%}", f"{found}", found.median >= WANTED, {"ratios": ratios, "runs": runs})
