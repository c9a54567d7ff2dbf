"""What logs cost whose messages hold something new each: in this process, without HTTP and disk, in a minute.

    python -m tests.bench.micro [--only NAME ...] [--rounds 3] [--logs 3000]

Both sides take turns in each round, on lines that no round before had. The ratio is how many logs ours does in the CPU
time of one of the obvious implementation, which counts the values of metadata (`counts`) or keeps the last (`drops`).
Medians of the rounds, lowest to highest; the worst line comes first.
"""

from __future__ import annotations

import argparse
import logging
from statistics import median
from typing import NamedTuple

import msgspec

from tests.bench.micro.lines import MIXES, Mix, made
from tests.bench.micro.sides import Obvious, Ours
from tests.bench.targets.row import Spread, spread

BATCH = 1000


class Line(NamedTuple):
    """One mix: µs for each log of ours, how many times the obvious costs that, and the share of shapes never seen."""

    name: str
    micros: float
    counts: Spread
    drops: Spread
    never_seen: float
    parts: dict[str, float]


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


def main() -> None:
    """Measure and print."""
    logging.disable()  # a stage that holds up the loop is named many times: here only what it costs counts
    parser = argparse.ArgumentParser(prog="python -m tests.bench.micro", description=__doc__)
    parser.add_argument("--only", nargs="+", help="mixes whose names begin so")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--logs", type=int, default=3000, help="of each round (without anything fresh: four times these)"
    )
    given = parser.parse_args()
    ours = Ours()
    chosen = [mix for mix in MIXES if not given.only or mix.name.startswith(tuple(given.only))]
    print(table([measure(mix, ours, given.rounds, given.logs) for mix in chosen]))


if __name__ == "__main__":
    main()
