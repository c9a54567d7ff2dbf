"""All parts that say what is wanted beside what is measured, and how one is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.bench import bench_patterns_command, bench_plugin_overhead, bench_postgres
from tests.bench.micro import measure as fresh
from tests.bench.targets import database, durability, latency, memory, outage, start, workers
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row

PARTS: dict[str, Callable[[Options, Progress], list[Row]]] = {
    "fresh": fresh.rows,
    "durability": durability.rows,
    "database": database.rows,
    "latency": latency.rows,
    "workers": workers.rows,
    "memory": memory.rows,
    "start": start.rows,
    "outage": outage.rows,
    "flushes": bench_postgres.rows,
    "plugins": bench_plugin_overhead.rows,
    "command": bench_patterns_command.rows,
}


def take(name: str, options: Options, progress: Progress, result: dict[str, Any]) -> list[Row]:
    """Run one part; its rows are also added to `result["rows"]`, or why there are none to `result["failed"]`."""
    try:
        rows = PARTS[name](options, progress)
    except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001  the other parts are measured all the same
        result["failed"][name] = f"{type(error).__name__}: {error}"
        return []
    finally:
        progress.clear()
    result["rows"] += [{"part": name, **row._asdict()} for row in rows]
    return rows
