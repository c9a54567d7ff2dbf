"""The whole path as a table: medians of the rounds, and ratios pair by pair."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from tests.bench.ingest.measure import Runs, Shape
from tests.bench.targets.row import Spread, spread


class Line(NamedTuple):
    """One contender with one shape of requests. `ratio` is how many logs ours does in the CPU time of one of its logs.

    CPU in seconds per 100,000 logs, the database's apart; latencies in milliseconds; MB are 10^6 bytes, resident.
    """

    store: str
    requests: str
    connections: int
    who: str
    logs_per_second: float
    cpu: float
    database_cpu: float
    p50: float
    p99: float
    megabytes: float
    refused: int
    ratio: Spread


def lines(store: str, shape: Shape, runs: Runs) -> list[Line]:
    """A line for each contender, ours first: what the others are compared with."""
    ours = next(iter(runs.values()))
    found = []
    for who, theirs in runs.items():
        middle = {key: median(run[key] for run in theirs) for key in theirs[0]}
        pairs = zip(ours, theirs, strict=True)
        found.append(
            Line(
                store=store,
                requests=shape.name,
                connections=shape.connections,
                who=who,
                logs_per_second=middle["logs_per_second"],
                cpu=middle["cpu_seconds_per_100k"],
                database_cpu=middle["database_cpu_seconds_per_100k"],
                p50=middle["p50_ms"],
                p99=middle["p99_ms"],
                megabytes=middle["resident_bytes"] / 1e6,
                refused=int(sum(run["failed"] for run in theirs)),
                ratio=spread(a["logs_per_cpu_second"] / b["logs_per_cpu_second"] for a, b in pairs),
            )
        )
    return found


def table(found: Iterable[Line]) -> str:
    """All lines under one head; an empty one between two shapes."""
    text = [
        (
            f"{'store':<10}{'requests':<25}{'conn.':>5}  {'who':<14}{'logs/s':>10}{'CPU s/100k':>12}{'database':>10}"
            f"{'p50 ms':>9}{'p99 ms':>9}{'MB':>6}   ours over it, by CPU (lowest to highest)"
        )
    ]
    shown, ours = ("", ""), ""
    for line in found:
        if (line.store, line.requests) != shown:
            shown, ours = (line.store, line.requests), line.who
            text.append("")
        refused = f"   {line.refused:,} requests REFUSED" if line.refused else ""
        text.append(
            f"{line.store:<10}{line.requests:<25}{line.connections:>5}  {line.who:<14}{line.logs_per_second:>10,.0f}"
            f"{line.cpu:>12.3f}{line.database_cpu:>10.3f}{line.p50:>9.2f}{line.p99:>9.2f}{line.megabytes:>6.0f}"
            f"   {'' if line.who == ours else line.ratio}{refused}".rstrip()
        )
    return "\n".join(text)
