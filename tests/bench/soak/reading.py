"""How the service stands at one moment of the soak, seen from outside and asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from tests.bench import answers
from tests.bench.candidates import Server
from tests.bench.load import Told

JOURNAL = "journal.sqlite3"
DATABASE = ".sqlite3"


class Reading(msgspec.Struct, frozen=True):
    """`seconds` after the begin; `accepted` since then. Sizes in bytes; latencies in milliseconds of the last interval.

    `commits` of the journal and the seconds they took, since the start, tell a slow disk from a slow service.
    `store` is the data itself, the databases of the plugins; `store_log` are their write-ahead logs, `other` are all
    further files of the directory. `cpu` is what the service has used since its start, in seconds. `queue` counts logs
    waiting to be aggregated, `troubled` plugins that have failed or are left out.
    """

    seconds: float
    accepted: int
    cpu: float
    commits: int
    commit_seconds: float
    memory: int
    journal: int
    store: int
    store_log: int
    other: int
    open_files: int
    queue: int
    troubled: int
    p50: float
    p99: float


def read(server: Server, told: Told) -> Reading:
    """Read everything now. Raises `URLError` when the service does not answer."""
    assert server.data_dir is not None
    sizes = _sizes(server.data_dir)
    stats = answers.get(f"{server.url}/stats")
    return Reading(
        seconds=round(told.seconds, 2),
        accepted=told.accepted,
        cpu=server.cpu(),
        commits=stats["journal"]["commits"],
        commit_seconds=stats["journal"]["commit_seconds"],
        memory=server.memory(),
        journal=sizes["journal"],
        store=sizes["store"],
        store_log=sizes["store_log"],
        other=sizes["other"],
        open_files=server.open_files(),
        queue=stats["queue"]["records"],
        troubled=sum(plugin["errors"] > 0 or plugin["circuit"] == "open" for plugin in stats["plugins"].values()),
        p50=told.latency_ms(0.5),
        p99=told.latency_ms(0.99),
    )


def _sizes(data_dir: Path) -> Counter[str]:
    """Bytes of all files that the service writes, by what they are; its own log lies beside its data."""
    sizes: Counter[str] = Counter()
    for path in data_dir.parent.rglob("*"):
        try:
            if path.is_file():
                sizes[_kind(path.name)] += path.stat().st_size
        except FileNotFoundError:  # removed since it was listed
            continue
    return sizes


def _kind(name: str) -> str:
    if name.startswith(JOURNAL):
        return "journal"
    if name.endswith(DATABASE):
        return "store"
    return "store_log" if DATABASE in name else "other"
