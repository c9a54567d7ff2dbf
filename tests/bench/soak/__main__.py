"""Half an hour at 70 % load: do memory, files and latency stay, and does every count add up?

    python -m tests.bench.soak [--minutes 30] [--share 0.7] [--probe 20] [--json FILE] [--plot FILE.svg]

The highest rate is measured first, in batches, until everything is stored; then requests come at fixed times, at that
share of it, and latency counts from when each was due. The service (default pipeline, SQLite, durable) is pinned to
core 0, the load generator to core 1. Exit code 1 when something grew, was refused or is not stored.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

import msgspec

from tests.bench import corpus
from tests.bench.soak import page
from tests.bench.soak.reading import Reading
from tests.bench.soak.run import Plan, run
from tests.bench.soak.verdict import judge
from tests.bench.targets.progress import Progress

READINGS = 180
"""How many readings there are, unless that would be more than one a second."""


def main() -> int:
    """Soak, print the table and the verdicts, write the JSON; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then, too
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started this may ignore it: no child's end would be known
    options = _options()
    seconds = options.minutes * 60
    plan = Plan(seconds, max(1.0, seconds / READINGS), options.probe, options.share)
    assert plan.generator is not None
    os.sched_setaffinity(0, {plan.generator})  # reading must not disturb the service
    progress = Progress()

    def notice(reading: Reading) -> None:
        progress.bar(page.status(reading), int(reading.seconds), int(seconds))

    print(f"{corpus.name()}, digits drawn anew; batches of {plan.size:,}, {plan.connections} connections", flush=True)
    soak = run(plan, progress.step, notice)
    progress.clear()
    verdicts = judge(soak)
    print(f"{page.table(soak)}\n\n{page.summary(soak, plan.share, verdicts)}", flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    told = {"corpus": corpus.name(), "share": plan.share, "soak": soak, "verdicts": verdicts}
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    print(f"\nall figures: {options.json}")
    if options.plot:
        from tests.bench.soak import plot  # it needs matplotlib, which only the benchmarks have

        plot.draw(options.plot, soak)
        print(f"picture: {options.plot}")
    return 0 if all(verdict.met for verdict in verdicts) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of load (default: %(default)s)")
    parser.add_argument("--share", type=float, default=0.7, help="of the highest rate (default: %(default)s)")
    parser.add_argument("--probe", type=float, default=20.0, help="seconds at full speed before (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-soak.json"), help="(default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw memory, files and latency as SVG")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
