"""The picture of a soak: memory, files and latency over time."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

from tests.bench.scale.plots import COLORS, INK, STYLE, save
from tests.bench.soak.verdict import Soak

_MB = 1e6


def draw(path: Path, soak: Soak) -> None:
    """Write an SVG with three panels over the same minutes, each from zero, so that what is flat looks so."""
    minutes = [reading.seconds / 60 for reading in soak.readings]
    panels = {
        "MB": {
            "memory": [reading.memory / _MB for reading in soak.readings],
            "journal": [reading.journal / _MB for reading in soak.readings],
            "write-ahead logs of the stores": [reading.store_log / _MB for reading in soak.readings],
        },
        "MB, data": {"stores": [reading.store / _MB for reading in soak.readings]},
        "ms": {
            "p99": [reading.p99 for reading in soak.readings],
            "p50": [reading.p50 for reading in soak.readings],
        },
    }
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(len(panels), sharex=True, figsize=(6.4, 6.4), layout="constrained")
        for panel, (unit, curves) in zip(axes, panels.items(), strict=True):
            for (name, values), color in zip(curves.items(), COLORS, strict=False):
                panel.plot(minutes, values, color=color, linewidth=1.4, label=name)
            panel.set_ylabel(unit)
            panel.set_ylim(bottom=0)
            panel.legend(
                frameon=False,
                labelcolor=INK,
                loc="lower left",
                bbox_to_anchor=(0, 1),
                ncols=len(COLORS),
                borderaxespad=0,
            )
        axes[-1].set_xlabel("minutes")
        save(figure, path)
