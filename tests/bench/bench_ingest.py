"""The whole path beside what a user would pick instead: one table, one JSON file.

Alternates our service, the obvious FastAPI implementation and a bare aiohttp handler, server and load generator on
separate cores. What counts is the ratio pair by pair. Needs fastapi, uvicorn and httptools for the comparison.

    python tests/bench/bench_ingest.py [--seconds 4] [--rounds 3] [--store sqlite|postgres] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import candidates, corpus, load
from tests.servers.postgres import PostgresServer

SERVER_CORE, LOAD_CORE = 0, 1
DIFFERENT_LOGS = 200_000


class Shape(NamedTuple):
    """How logs are sent."""

    name: str
    size: int
    connections: int
    lines: bool = False


SHAPES = (
    Shape("single", 1, 64),
    Shape("batches of 100", 100, 16),
    Shape("batches of 1000", 1000, 8),
    Shape("batches of 1000, NDJSON", 1000, 8, lines=True),
)


def measure(server: candidates.Server, shape: Shape, seconds: float, bodies: list[bytes]) -> dict[str, float]:
    """One run: figures of the server while it is loaded, and until all that was sent is stored.

    What it has acknowledged but not yet worked off is paid for in this run, not by the one that comes next.
    """
    path = "/ingest" if shape.size == 1 else "/ingest/batch"
    kind = "application/x-ndjson" if shape.lines else "application/json"
    cpu, database = server.cpu(), server.database_cpu()
    outcome = load.run(load.Load(server.url + path, bodies, shape.connections, seconds, kind), LOAD_CORE)
    began = time.perf_counter()
    if server.stores:
        candidates.flush(server)
    drained = time.perf_counter() - began
    logs = outcome.requests * shape.size
    used = max(server.cpu() - cpu, 0.01)
    return {
        "logs_per_second": logs / outcome.seconds,
        "logs_per_cpu_second": logs / used,
        "cpu_seconds_per_100k": 100_000 * used / max(logs, 1),
        "database_cpu_seconds_per_100k": 100_000 * (server.database_cpu() - database) / max(logs, 1),
        "p50_ms": outcome.p50,
        "p99_ms": outcome.p99,
        "drained_seconds": drained,
        "generator_cpu_share": outcome.cpu / outcome.seconds,
        "resident_mib": server.memory() / 2**20,
        "failed": outcome.failed,
    }


def contenders(store: str, dsn: str, database: int | None) -> dict[str, AbstractContextManager[candidates.Server]]:
    """Name → how to start it."""
    found: dict[str, AbstractContextManager[candidates.Server]] = {
        "ours": candidates.ours(SERVER_CORE, store=store, dsn=dsn, database=database),
        "ours, memory": candidates.ours(SERVER_CORE, store=store, dsn=dsn, database=database, DURABILITY="memory"),
        "bare aiohttp": candidates.script("baseline_aiohttp", SERVER_CORE, stores=False),
    }
    missing = candidates.baseline_missing()
    if missing:
        print(f"not installed: {', '.join(missing)}; nothing to compare with but bare aiohttp", file=sys.stderr)
    else:
        arguments = [dsn] if dsn else []
        found["obvious"] = candidates.script("baseline_fastapi", SERVER_CORE, *arguments, database=database)
    return found


def run(shape: Shape, options: argparse.Namespace, dsn: str, database: int | None) -> dict[str, list[dict[str, float]]]:
    """Every contender in turn, `rounds` times."""
    bodies = corpus.bodies(max(32, min(DIFFERENT_LOGS // shape.size, 20_000)), shape.size, lines=shape.lines)
    figures: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(c) for name, c in contenders(options.store, dsn, database).items()}
        for server in servers.values():
            measure(server, shape, 1.0, bodies)  # warm
        for number in range(options.rounds):
            for name, server in servers.items():
                if shape.lines and name == "obvious":
                    continue  # it takes JSON only
                print(f"\r{shape.name}: round {number + 1} of {options.rounds}, {name:<14}", end="", file=sys.stderr)
                figures.setdefault(name, []).append(measure(server, shape, options.seconds, bodies))
    print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    return figures


def table(shape: Shape, figures: dict[str, list[dict[str, float]]]) -> list[str]:
    """The lines for one shape: medians, and ratios against ours pair by pair with their spread."""
    lines = [f"\n{shape.name}, {shape.connections} connections"]
    head = f"  {'':<14}{'logs/s':>11}{'logs/cpu-s':>12}{'cpu s/100k':>12}{'db s/100k':>11}{'p50 ms':>9}{'p99 ms':>9}"
    lines.append(head + f"{'MiB':>7}   ours over it, by CPU (lowest to highest)")
    ours = figures["ours"]
    for name, runs in figures.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        pairs = sorted(a["logs_per_cpu_second"] / b["logs_per_cpu_second"] for a, b in zip(ours, runs, strict=True))
        ratio = f"{statistics.median(pairs):.2f}x ({pairs[0]:.2f} to {pairs[-1]:.2f})"
        lines.append(
            f"  {name:<14}{middle['logs_per_second']:>11,.0f}{middle['logs_per_cpu_second']:>12,.0f}"
            f"{middle['cpu_seconds_per_100k']:>12.3f}{middle['database_cpu_seconds_per_100k']:>11.3f}"
            f"{middle['p50_ms']:>9.2f}{middle['p99_ms']:>9.2f}{middle['resident_mib']:>7.0f}   {ratio}"
        )
    return lines


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--json", type=Path, default=Path("bench-ingest.json"))
    options = parser.parse_args()
    result: dict[str, Any] = {"corpus": corpus.name(), "store": options.store, "shapes": {}}
    print(f"{corpus.name()}, digits drawn anew; store: {options.store}; median of {options.rounds} rounds")
    with ExitStack() as stack:
        dsn, database = "", None
        if options.store == "postgres":
            server = PostgresServer()
            stack.callback(server.remove)
            server.start()
            dsn, database = server.dsn(), server.process.pid if server.process else None
        for shape in SHAPES:
            figures = run(shape, options, dsn, database)
            result["shapes"][shape.name] = figures
            print("\n".join(table(shape, figures)), flush=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\nall figures: {options.json}")


if __name__ == "__main__":
    main()
