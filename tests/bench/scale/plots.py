"""The plots of the page: SVG with text, legible on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

INK, INK_ON_DARK = "#656d76", "#c9d1d9"
COLORS = ("#2f81f7", "#d29922", "#3fb950")
_DARK = f"""<style>@media (prefers-color-scheme: dark) {{
 [style*="fill: {INK}"] {{ fill: {INK_ON_DARK} !important }}
 [style*="stroke: {INK}"] {{ stroke: {INK_ON_DARK} !important }}
}}</style>"""
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "scale", "font.family": "sans-serif", "font.size": 10,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": INK, "grid.alpha": 0.25,
    "grid.linewidth": 0.5,
}  # fmt: skip


class Curve(NamedTuple):
    """One line of a plot."""

    name: str
    sizes: Sequence[float]
    values: Sequence[float]


def draw(path: Path, curves: Sequence[Curve], x: str, y: str, linear: bool) -> None:
    """Draw curves on logarithmic axes; `linear` adds what would be linear growth from the largest size back."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        axes.set_xscale("symlog" if any(0 in curve.sizes for curve in curves) else "log")
        axes.set_yscale("log")
        for curve, color in zip(curves, COLORS, strict=False):
            axes.plot(curve.sizes, curve.values, "o-", color=color, linewidth=1.8, markersize=4.5, label=curve.name)
        if linear:
            _draw_linear(axes, curves)
        lowest, highest = _range(curves)
        axes.set_ylim(lowest / 2, highest * 2)  # so that what is nearly flat looks so
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for side in (axes.xaxis, axes.yaxis):
            side.set_major_formatter(FuncFormatter(_number))
            side.set_minor_formatter(NullFormatter())
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.legend(frameon=False, labelcolor=INK)
        save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure that was drawn in `STYLE`, and be done with it."""
    figure.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(figure)
    text = path.read_text(encoding="utf-8")
    start = text.index("<defs>")
    lines = (line.rstrip() for line in (text[:start] + _DARK + text[start:]).splitlines())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _draw_linear(axes: Axes, curves: Sequence[Curve]) -> None:
    """What linear growth would look like: through the largest size of the topmost curve."""
    top = max(curves, key=lambda curve: curve.values[-1])
    lowest, _ = _range(curves)
    sizes = [size for size in top.sizes if size and top.values[-1] * size / top.sizes[-1] >= lowest / 2]
    values = [top.values[-1] * size / top.sizes[-1] for size in sizes]
    axes.plot(sizes, values, "--", color=INK, linewidth=1, label="linear")


def _range(curves: Sequence[Curve]) -> tuple[float, float]:
    values = [value for curve in curves for value in curve.values]
    return min(values), max(values)


def _number(value: float, _: int | None) -> str:
    return f"{value:,.0f}" if value >= 1 or not value else f"{value:g}"
