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

LOGS = 20_000
"""Logs of which the cost of a known world is measured, at least; a round is never cut."""

CHARACTERS = 10_000_000
"""Of so many characters, whatever the number of logs."""

LONG = 90.0
"""Seconds after which a point is not measured once more: the largest two or three times, all others always."""

Tick = Callable[[str], None]


class Point(msgspec.Struct):
    """Medians of one size: CPU microseconds of the service per log, its resident bytes, p99 of requests in ms.

    `longest`: milliseconds until the slowest answer to `GET /health`, asked again and again until all was stored.
    `held_up` counts how often a plugin was left out for having held up the event loop: such a figure is too good.
    """

    size: int
    per_log: float
    resident: float
    p99: float
    longest: float = 0.0
    spread: float = 0.0
    held_up: int = 0


class Result(msgspec.Struct):
    """An axis with its points. `exponent` is that of the whole work against the size, `None` of a single point.

    `failed` says which sizes could not be measured, and why.
    """

    name: str
    title: str
    shared: bool
    points: list[Point]
    exponent: float | None
    blame: list[str] = []
    failed: list[str] = []


def measure(axis: Axis, repeats: int, tick: Tick, plugin: str = "", logs: int = LOGS) -> list[Result]:
    """Measure all points of an axis, each `repeats` times unless that takes long; a point that fails is left out.

    `plugin` comes on top of the pipeline; `logs` are measured at least where everything is known. Where the axis
    asks for it, there is a second result: the first rounds.
    """
    known, new = [], []
    failed: list[str] = []
    for size in axis.sizes:
        costs: list[tuple[Cost, Cost]] = []
        began = time.monotonic()
        for turn in range(repeats):
            tick(f"{axis.title}: {size:,}, {turn + 1} of {repeats}")
            if turn and time.monotonic() - began > LONG:
                continue
            try:
                costs.append(_costs_of(axis.world(size), plugin, logs))
            except Exception as error:  # noqa: BLE001  whatever one point fails of, the others are measured
                failed.append(f"{size:,}: {type(error).__name__}: {error}")
        if costs:
            new.append(_point(size, [first for first, _ in costs]))
            known.append(_point(size, [cost for _, cost in costs]))
    found = [_result(axis.name, axis.title, axis.shared, known, failed)]
    return [*found, _result(f"{axis.name}, first", axis.first, axis.shared, new, [])] if axis.first else found


def _result(name: str, title: str, shared: bool, points: list[Point], failed: list[str]) -> Result:
    work = [point.per_log * (point.size if shared else 1) for point in points]
    sizes = [point.size for point in points]
    grown = exponent(sizes, work) if sum(size > 0 for size in sizes) > 1 else None
    return Result(name, title, shared, points, grown, failed=failed)


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
        longest=median(cost.longest for cost in costs) * 1000,
        spread=(max(per_log) - min(per_log)) / median(per_log),
        held_up=sum(cost.held_up for cost in costs),
    )
