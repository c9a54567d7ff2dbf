"""Whether a soak has shown growth: what is compared, how much is allowed, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import msgspec

from tests.bench.soak.reading import Reading

WARM_UP = 0.1
"""The share of the time whose readings do not count."""

KEPT_UP = 0.98
"""The share of the wanted rate that must have been accepted: less is another load than the one asked for."""


class Soak(msgspec.Struct):
    """One soak. `highest` and `rate` are logs a second: what was measured at full speed, and what was then sent.

    `accepted` and `stored` count all logs since the service started, `sent` those of the soak itself, which took
    `seconds`; `failed` are its refused requests. `generator` is the share of its core that the generator used.
    """

    highest: float
    rate: float
    seconds: float
    sent: int
    failed: int
    accepted: int
    stored: int
    generator: float
    readings: list[Reading]


class Verdict(NamedTuple):
    """One line of the judgement."""

    what: str
    measured: str
    limit: str
    met: bool


class Growth(NamedTuple):
    """What must stay: at the end at most `times` what it was at the beginning, and `room` more.

    Figures are shown divided by `scale`, with so many `digits`.
    """

    what: str
    times: float
    room: float
    unit: str = ""
    scale: float = 1.0
    digits: int = 1


MB = 1e6
STAYS: dict[Growth, Callable[[Reading], float]] = {
    Growth("memory", 1.1, 8 * MB, "MB", MB): lambda reading: reading.memory,
    Growth("journal", 1.1, 64 * MB, "MB", MB): lambda reading: reading.journal,
    Growth("write-ahead logs of the stores", 1.1, 16 * MB, "MB", MB): lambda reading: reading.store_log,
    Growth("other files", 1.1, 1 * MB, "MB", MB): lambda reading: reading.other,
    Growth("open files", 1.0, 4, digits=0): lambda reading: reading.open_files,
    Growth("queue", 1.5, 5000, "logs", digits=0): lambda reading: reading.queue,
    Growth("p50 of a request", 1.5, 5, "ms"): lambda reading: reading.p50,
    Growth("p99 of a request", 1.5, 10, "ms"): lambda reading: reading.p99,
}
"""By their medians. The room is for what rounds up (allocators, pages), for what comes and goes (connections, slow
commits), and for what is meant to stay: the journal keeps a write-ahead log of up to 64 MB."""

COST = Growth("CPU of 100,000 logs", 1.25, 0.0, "s", digits=3)
"""Latency as the clock has it grows with whatever else the machine does; what a log costs does far less."""


def judge(soak: Soak) -> list[Verdict]:
    """All verdicts. The first tenth of the time is warm-up; of the rest the first and the last quarter are compared.

    Raises `ValueError` when there are fewer than eight readings after the warm-up.
    """
    counted = [reading for reading in soak.readings if reading.seconds > soak.seconds * WARM_UP]
    if len(counted) < 8:
        raise ValueError(f"{len(counted)} readings after the warm-up: expected 8 or more; soak for longer")
    size = len(counted) // 4
    first, last = counted[:size], counted[-size:]
    rate = soak.sent / soak.seconds
    troubled = max(reading.troubled for reading in soak.readings)
    return [
        Verdict("every accepted log is stored", f"{soak.stored:,}", f"{soak.accepted:,}", soak.stored == soak.accepted),
        Verdict("refused requests", f"{soak.failed:,}", "0", soak.failed == 0),
        Verdict("plugins that failed or were left out", f"{troubled}", "0", troubled == 0),
        Verdict("logs/s", f"{rate:,.0f}", f">= {soak.rate * KEPT_UP:,.0f}", rate >= soak.rate * KEPT_UP),
        *(_compared(growth, *(median(map(of, part)) for part in (first, last))) for growth, of in STAYS.items()),
        _compared(COST, cost(first), cost(last)),
    ]


def cost(part: Sequence[Reading]) -> float:
    """CPU seconds of the service per 100,000 logs between the first and the last of some readings."""
    logs = part[-1].accepted - part[0].accepted
    return 100_000 * (part[-1].cpu - part[0].cpu) / max(1, logs)


def _compared(growth: Growth, before: float, after: float) -> Verdict:
    limit = before * growth.times + growth.room
    told = [f"{figure / growth.scale:,.{growth.digits}f}" for figure in (before, after, limit)]
    return Verdict(growth.what, f"{told[0]} -> {told[1]} {growth.unit}".rstrip(), f"<= {told[2]}", after <= limit)
