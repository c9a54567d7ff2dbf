"""The page's tables and plots. What a person wrote around them stays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.bench.scale import backlog, plots
from tests.bench.scale.backlog import Outage
from tests.bench.scale.measure import Result
from tests.bench.scale.report import Report

PAGE = "performance-scale.md"
GROUPS = {
    "patterns": (("patterns", "patterns, first", "names"), "patterns", "CPU µs a log"),
    "batch": (("batch",), "logs in a batch", "CPU µs a log"),
    "keys": (("keys",), "metadata keys", "CPU µs a log"),
    "length": (("length", "unseen"), "characters of a message", "CPU µs a log"),
    "sources": (("sources",), "sources", "CPU µs a log"),
    "plugins": (("plugins",), "plugins that do nothing", "CPU µs a log"),
}
"""Section of the page → its axes, what grows, and what is shown."""

_MIB = 2**20


def write(docs: Path, report: Report) -> None:
    """Replace the tables of the page between their marks, and draw its plots. Raises `ValueError` without marks."""
    page = docs / PAGE
    text = page.read_text(encoding="utf-8")
    pictures = docs / "scale"
    pictures.mkdir(exist_ok=True)
    results = {result.name: result for result in report.results}
    for section, (names, x, y) in GROUPS.items():
        shown = [results[name] for name in names if name in results and results[name].points]
        if shown:
            linear = not shown[0].shared
            plots.draw(pictures / f"{section}.svg", [_curve(result) for result in shown], x, y, linear)
            text = _replaced(text, section, "\n\n".join(table(result) for result in shown))
    if report.outages:
        _draw_outages(pictures / "backlog.svg", report.outages)
        text = _replaced(text, "backlog", outage_table(report.outages))
    text = _replaced(text, "summary", summary(report))
    page.write_text(text, encoding="utf-8")


def summary(report: Report) -> str:
    """One line an axis: how the whole work grows."""
    lines = ["| axis | from | to | CPU µs a log, there | exponent of the work | |", "|---|--:|--:|--:|--:|---|"]
    for result in report.results:
        if result.points:
            first, last = result.points[0], result.points[-1]
            lines.append(
                f"| {result.title} | {first.size:,} | {last.size:,} | {first.per_log:.0f} → {last.per_log:.0f}"
                f" | {grown(result)} | {_verdict(result.exponent, report.limit)} |"
            )
    if len(report.outages) > 1:
        shortest, longest = report.outages[0].minutes, report.outages[-1].minutes
        for name, slope in backlog.exponents(report.outages).items():
            verdict = _verdict(slope, report.limit)
            lines.append(f"| minutes of outage: {name} | {shortest} | {longest} | | {slope:.2f} | {verdict} |")
    lines += ["", f"Python {report.python}, {report.machine}; {report.repeats} measurements a point, medians."]
    blamed = [f"- {result.title}: {line}" for result in report.results for line in result.blame]
    lines += ["", "What grew:", "", *blamed] if blamed else []
    lines += ["", "Could not be measured:", "", *(f"- {what}" for what in report.failed)] if report.failed else []
    return "\n".join(lines)


def grown(result: Result) -> str:
    """The exponent as text."""
    return "?" if result.exponent is None else f"{result.exponent:.2f}"


def _verdict(slope: float | None, limit: float) -> str:
    if slope is None:
        return "not measured"
    return "linear or better" if slope <= limit else "worse than linear"


def table(result: Result) -> str:
    """The points of one axis."""
    lines = [
        f"| {result.title} | CPU µs a log | spread | RSS MiB | p99 of a request, ms | slowest /health, ms |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for point in result.points:
        mark = " *" if point.held_up else ""
        lines.append(
            f"| {point.size:,} | {point.per_log:.1f}{mark} | {point.spread:.0%} | {point.resident / _MIB:.0f}"
            f" | {point.p99:.0f} | {point.longest:.0f} |"
        )
    if any(point.held_up for point in result.points):
        lines += ["", "\\* A plugin held up the event loop and was left out for a while: the figure is too low."]
    return "\n".join(lines)


def outage_table(outages: Sequence[Outage]) -> str:
    """What each outage cost."""
    lines = [
        (
            "| minutes | logs | journal MiB | RSS MiB | CPU µs a log, meanwhile | caught up after s"
            " | CPU µs a log, catching up | of the database | exact |"
        ),
        "|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {o.minutes} | {o.logs:,} | {o.journal / _MIB:.1f} | {o.resident / _MIB:.0f} | {1e6 * o.during / o.logs:.1f}"
        f" | {o.caught_up:.1f} | {1e6 * o.after / o.logs:.2f} | {1e6 * o.database / o.logs:.2f}"
        f" | {'yes' if o.exact else 'NO'} |"
        for o in outages
    ]
    return "\n".join(lines)


def _curve(result: Result) -> plots.Curve:
    return plots.Curve(result.title, [p.size for p in result.points], [p.per_log for p in result.points])


def _draw_outages(path: Path, outages: Sequence[Outage]) -> None:
    minutes = [outage.minutes for outage in outages]
    curves = [
        plots.Curve("journal, MiB", minutes, [outage.journal / _MIB for outage in outages]),
        plots.Curve("memory, MiB", minutes, [outage.resident / _MIB for outage in outages]),
        plots.Curve("caught up after, s", minutes, [outage.caught_up for outage in outages]),
    ]
    plots.draw(path, curves, "minutes of outage", "", linear=False)


def _replaced(text: str, section: str, table: str) -> str:
    begin, end = f"<!-- figures: {section} -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{PAGE}: expected {begin} … {end}")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text, count=1)
