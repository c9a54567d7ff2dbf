"""All figures of the service: one command, one table, one JSON file.

    python -m tests.bench [--quick] [--only PART ...] [--seconds 4] [--rounds 3] [--logs 10000000] [--json FILE]

The whole path into SQLite and into PostgreSQL first (logs/s, CPU, latency, memory, ratios pair by pair), then whatever
else is wanted, each beside what was measured. On stderr stands what is being measured and each part's lines as soon as
it is done; the file is written after each part; the table comes at the end. Parts alone: tests/bench/bench_*.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bench import corpus
from tests.bench.bench_ingest import STORES, measure_store
from tests.bench.ingest.table import Line, table
from tests.bench.targets.parts import PARTS, take
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, shown, summary

STANDARD = Options(seconds=4.0, rounds=3)
QUICK = Options(seconds=1.0, rounds=1, logs=300_000, outage_logs=100_000, starts=1)


def main() -> int:
    """Measure, print the table, write the JSON. 1 when a part could not be measured; falling short is no error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then, too
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started this may ignore it: no child's end would be known
    given = _given()
    options = QUICK if given.quick else STANDARD
    options = options._replace(**{name: told for name in ("seconds", "rounds", "logs") if (told := vars(given)[name])})
    result: dict[str, Any] = {
        "corpus": corpus.name(),
        "machine": f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()}",
        "options": options._asdict(),
        "table": [],
        "rows": [],
        "failed": {},
        "runs": {},
    }
    lines, rows = run(given.only or [*STORES, *PARTS], options, result, given.json)
    print(
        f"{result['corpus']}, digits drawn anew; {result['machine']}; MB are 10^6 bytes;\n"
        f"medians (lowest to highest) of {options.rounds} rounds of {options.seconds:g} s\n"
    )
    print("\n\n".join(filter(None, [table(lines) if lines else "", summary(rows)])))
    for name, why in result["failed"].items():
        print(f"\n{name} COULD NOT BE MEASURED: {why}")
    print(f"\nall figures: {given.json}")
    return 1 if result["failed"] else 0


def run(names: list[str], options: Options, result: dict[str, Any], path: Path) -> tuple[list[Line], list[Row]]:
    """Measure these parts, add each to `result` and write that to `path`; the lines for the table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    progress, lines, rows = Progress(), list[Line](), list[Row]()
    began = time.monotonic()
    for number, name in enumerate(names, 1):
        progress.of = f"part {number} of {len(names)}, {(time.monotonic() - began) / 60:.0f} min: "
        if name in STORES:
            found = _whole_path(name, options, progress, result)
            lines += found
            progress.show(table(found))
        else:
            more = take(name, options, progress, result)
            rows += more
            progress.show(shown(more))
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return lines, rows


def _whole_path(store: str, options: Options, progress: Progress, result: dict[str, Any]) -> list[Line]:
    try:
        lines, runs = measure_store(store, options.seconds, options.rounds, progress)
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001  the other parts are measured all the same
        result["failed"][store] = f"{type(error).__name__}: {error}"
        return []
    result["table"] += [{**line._asdict(), "ratio": line.ratio._asdict()} for line in lines]
    result["runs"][store] = runs
    return lines


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*STORES, *PARTS]
    parser.add_argument("--quick", action="store_true", help="one short round of everything: does it run?")
    parser.add_argument("--only", nargs="+", choices=names, metavar="PART", help=f"of {', '.join(names)}")
    parser.add_argument("--seconds", type=float, help=f"of each run (default: {STANDARD.seconds:g}; quick: 1)")
    parser.add_argument("--rounds", type=int, help=f"runs of each (default: {STANDARD.rounds}; quick: 1)")
    parser.add_argument("--logs", type=int, help=f"before memory is measured (default: {STANDARD.logs}; quick: 300000)")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="(default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
