"""What a person reads after a soak: how the service stood over time, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tests.bench.soak.reading import Reading
from tests.bench.soak.verdict import Soak, Verdict, cost

LINES = 12
HEADS = (
    "minutes", "logs/s", "CPU s/100k", "commit ms", "memory MB", "journal MB", "stores MB", "their log", "files",
    "queue", "p50 ms", "p99 ms",
)  # fmt: skip
_MB = 1e6


def table(soak: Soak) -> str:
    """At most a dozen readings, evenly over the time; logs/s, CPU and commits are of the time between two of them."""
    lines = ["".join(f"{head:>11}" for head in HEADS)]
    lines += [_line(earlier, later) for earlier, later in pairwise(_evenly(soak.readings))]
    return "\n".join(lines)


def summary(soak: Soak, share: float, verdicts: Sequence[Verdict]) -> str:
    """The load in a sentence, and each verdict: measured, limit, outcome."""
    first, last = soak.readings[0], soak.readings[-1]
    busy = (last.cpu - first.cpu) / (last.seconds - first.seconds)
    lines = [
        (
            f"{soak.rate:,.0f} logs/s ({share:.0%} of {soak.highest:,.0f}) for {soak.seconds / 60:.1f} minutes;"
            f" of a core each the service used {busy:.0%}, the generator {soak.generator:.0%}"
        ),
        "first quarter -> last quarter, medians, after a tenth of the time to warm up:",
    ]
    for verdict in verdicts:
        outcome = "ok" if verdict.met else "FAILS"
        lines.append(f"  {verdict.what:<38}{verdict.measured:>22}   wanted {verdict.limit:<16}{outcome}")
    return "\n".join(lines)


def status(reading: Reading) -> str:
    """One reading in a few words, for the line that says how far it is."""
    memory, journal = reading.memory / _MB, reading.journal / _MB
    return f"{reading.accepted:,} logs, memory {memory:.0f} MB, journal {journal:.0f} MB, p99 {reading.p99:.1f} ms;"


def _evenly(readings: Sequence[Reading]) -> list[Reading]:
    """Some of them, the last one always."""
    step = -(-len(readings) // (LINES + 1))
    return list(readings[::-1][::step][::-1])


def _line(earlier: Reading, reading: Reading) -> str:
    rate = (reading.accepted - earlier.accepted) / (reading.seconds - earlier.seconds)
    commits = max(1, reading.commits - earlier.commits)
    commit = 1000 * (reading.commit_seconds - earlier.commit_seconds) / commits
    sizes = (reading.memory, reading.journal, reading.store, reading.store_log)
    return (
        f"{reading.seconds / 60:>11.1f}{rate:>11,.0f}{cost([earlier, reading]):>11.3f}{commit:>11.1f}"
        + "".join(f"{size / _MB:>11,.1f}" for size in sizes)
        + f"{reading.open_files:>11,}{reading.queue:>11,}{reading.p50:>11.1f}{reading.p99:>11.1f}"
    )
