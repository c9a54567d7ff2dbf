"""Measures the points of an axis, one fresh service for each."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from statistics import median

import msgspec

from tests.bench.scale.axes import Axis
from tests.bench.scale.fit import exponent
from tests.bench.scale.rig import Cost, running, warm
from tests.bench.scale.world import World, rounds

LOGS = 40_000
"""Logs of which the cost of a known world is measured, at least; a round is never cut."""

CHARACTERS = 20_000_000
"""Of so many characters, whatever the number of logs."""

LONG = 30.0
"""Seconds after which a point is not measured once more."""

Tick = Callable[[str], None]


class Point(msgspec.Struct):
    """Medians of one size: CPU microseconds of the service per log, its resident bytes, p99 of requests in ms.

    `held_up` counts how often a plugin was left out for having held up the event loop: such a figure is too good.
    """

    size: int
    per_log: float
    resident: float
    p99: float
    spread: float = 0.0
    held_up: int = 0


class Result(msgspec.Struct):
    """An axis with its points. `exponent` is that of the whole work against the size."""

    name: str
    title: str
    shared: bool
    points: list[Point]
    exponent: float
    blame: list[str] = []


def measure(axis: Axis, repeats: int, tick: Tick, plugin: str = "", logs: int = LOGS) -> list[Result]:
    """Measure all points of an axis, each `repeats` times unless that takes long.

    `plugin` comes on top of the pipeline; `logs` are measured at least where everything is known. Where the axis
    asks for it, there is a second result: the first rounds.
    """
    known, new = [], []
    for size in axis.sizes:
        costs: list[tuple[Cost, Cost]] = []
        began = time.monotonic()
        for _ in range(repeats):
            tick(f"{axis.title}: {size:,}")
            if not costs or time.monotonic() - began < LONG:
                costs.append(_costs_of(axis.world(size), plugin, logs))
        new.append(_point(size, [first for first, _ in costs]))
        known.append(_point(size, [cost for _, cost in costs]))
    found = [_result(axis.name, axis.title, axis.shared, known)]
    return [*found, _result(f"{axis.name}, first", axis.first, axis.shared, new)] if axis.first else found


def _result(name: str, title: str, shared: bool, points: list[Point]) -> Result:
    work = [point.per_log * (point.size if shared else 1) for point in points]
    return Result(name, title, shared, points, exponent([point.size for point in points], work))


def _costs_of(world: World, plugin: str, logs: int) -> tuple[Cost, Cost]:
    """What a world costs a service of its own: in the first round, and in those after it."""
    made = rounds(world)
    with running(world, extra=plugin) as rig:
        warm(rig)
        first = rig.cost([next(made)], world)
        after = rig.cost(list(itertools.islice(made, -(-min(logs, CHARACTERS // world.length) // world.logs))), world)
        left_out = rig.left_out()
        return first._replace(held_up=left_out), after._replace(held_up=left_out)


def _point(size: int, costs: list[Cost]) -> Point:
    per_log = [cost.per_log for cost in costs]
    return Point(
        size=size,
        per_log=median(per_log),
        resident=median(cost.resident for cost in costs),
        p99=median(cost.p99 for cost in costs) * 1000,
        spread=(max(per_log) - min(per_log)) / median(per_log),
        held_up=sum(cost.held_up for cost in costs),
    )
