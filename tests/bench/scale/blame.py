"""Which functions cost more per log at a large size than at a small one, as py-spy sees them."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench.scale.axes import Axis
from tests.bench.scale.rig import running, warm
from tests.bench.scale.world import World, rounds

MOST = 6
SAMPLES = 200
"""A second."""

_PROFILER = Path(sys.executable).with_name("py-spy")
_IDLE = ("wait", "select", "_worker")


def blame(axis: Axis, *, first: bool) -> list[str]:
    """The functions whose own time per log grew most over the three largest sizes, which the exponent rests on.

    `first`: in the first round, in which everything is new; else in the second. What the garbage collector takes
    counts as that of the function it happens to run in.
    """
    if not _PROFILER.exists():
        return ["py-spy is not installed: nothing to blame"]
    small, large = (_own_times(axis.world(size), first) for size in (axis.sizes[-3], axis.sizes[-1]))
    grown = Counter({name: cost - small.get(name, 0.0) for name, cost in large.items()})
    return [f"{name}: {small.get(name, 0.0):.1f} to {large[name]:.1f} µs a log" for name, _ in grown.most_common(MOST)]


def _own_times(world: World, first: bool) -> dict[str, float]:
    """Function → CPU microseconds a log that it used itself, about."""
    made = rounds(world)
    with running(world) as rig, tempfile.TemporaryDirectory(prefix="profile-") as home:
        warm(rig)
        if not first:
            rig.cost([next(made)], world)
        output = Path(home) / "stacks"
        arguments = ["-f", "raw", "-r", str(SAMPLES), "-o", str(output), "-p", str(rig.pid)]
        profiler = subprocess.Popen(
            [_PROFILER, "record", "--gil", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        cost = rig.cost([next(made)], world)
        profiler.send_signal(signal.SIGINT)
        profiler.wait(60)
        if not output.exists():
            return {}
        found = _by_function(output.read_text())
    total = sum(found.values()) or 1
    return {name: cost.per_log * samples / total for name, samples in found.items()}


def _by_function(stacks: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, samples = line.rpartition(" ")
        name = frames.rpartition(";")[2].rpartition(":")[0]
        if not name.startswith(_IDLE):
            found[f"{name})"] += int(samples)
    return found
