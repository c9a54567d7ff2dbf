"""One mix after the other: both sides take turns, on lines that no round before had."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

import msgspec

from tests.bench.micro.lines import MIXES, Mix, made, seen_before
from tests.bench.micro.sides import Obvious, Ours
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, Spread, spread

LOGS = 3000
"""Of each round."""

WANTED = {"user": 3, "quoted": 3, "30 % with one of these, 2 keys": 5, "digits, 0 keys": 8, "digits, 2 keys": 6}
"""How many times the CPU of ours the obvious implementation should take; of all others 4 times."""

BATCH = 1000


class Line(NamedTuple):
    """One mix: µs for each log of ours, how many times the obvious costs that, and the share of shapes never seen."""

    name: str
    micros: float
    counts: Spread
    drops: Spread
    never_seen: float
    parts: dict[str, float]


def warm() -> Ours:
    """Our side as it is after some seconds of work: what it prepares once, it has prepared."""
    ours, lines = Ours(), seen_before()
    ours.warm_up([msgspec.json.encode({"logs": lines[at : at + 100]}) for at in range(0, len(lines), 100)])
    return ours


def measure(mix: Mix, ours: Ours, rounds: int, logs: int) -> Line:
    """Measure one mix, after a round to warm up."""
    logs = logs if mix.kinds else 4 * logs  # few logs would be nothing but first ones of their groups
    obvious = {"counts": Obvious(counts=True), "drops": Obvious(counts=False)}
    found: dict[str, list[float]] = {name: [] for name in obvious}
    costs, fresh = [], []
    ours.by_part.clear()
    for number in range(rounds + 1):
        if number == 1:
            ours.seal()
            ours.by_part.clear()
        lines = made(mix, logs, seed=1000 + number)
        bodies = [msgspec.json.encode({"logs": lines[at : at + BATCH]}) for at in range(0, logs, BATCH)]
        never_seen = ours.share_never_seen(lines)
        cost = ours.run(bodies)
        theirs = {name: side.run(bodies) for name, side in obvious.items()}
        if number:
            costs.append(cost)
            fresh.append(never_seen)
            for name, took in theirs.items():
                found[name].append(took)
    sealing = ours.seal() / rounds
    ratios = {name: spread(b / (a + sealing) for a, b in zip(costs, some, strict=True)) for name, some in found.items()}
    parts = {name: took / rounds / logs * 1e6 for name, took in ours.by_part.items()}
    micros = (median(costs) + sealing) / logs * 1e6
    return Line(mix.name, micros, ratios["counts"], ratios["drops"], median(fresh), parts)


def table(lines: list[Line]) -> str:
    """The lines, the worst first."""
    text = [f"{'lines':<32}{'ours, µs':>9}  {'over counts':<22}{'over drops':<22}{'never seen':>10}"]
    text += [
        f"{line.name:<32}{line.micros:>9.2f}  {line.counts!s:<22}{line.drops!s:<22}{line.never_seen:>10.0%}   "
        + " ".join(f"{name} {micros:.1f}" for name, micros in line.parts.items())
        for line in sorted(lines, key=lambda line: line.counts.median)
    ]
    return "\n".join(text)


def rows(options: Options, progress: Progress) -> list[Row]:
    """All mixes beside what is wanted, the worst first."""
    ours, lines = warm(), []
    for mix in MIXES:
        progress.step(f"in one process: {mix.name}")
        lines.append(measure(mix, ours, options.rounds, LOGS))
    return [
        Row(
            f"{line.name}: CPU over the obvious implementation that counts ({line.never_seen:.0%} shapes never seen)",
            f">= {WANTED.get(line.name, 4)}",
            f"{line.counts}, over the one that drops {line.drops}",
            line.counts.median >= WANTED.get(line.name, 4),
            line._asdict(),
        )
        for line in sorted(lines, key=lambda line: line.counts.median)
    ]
