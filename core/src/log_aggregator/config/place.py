"""Which worker this process is, where its files lie, and how it learns that from the supervisor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from log_aggregator.config.settings import Settings

VARIABLE = "LOG_AGGREGATOR_WORKER"
"""How the supervisor tells a worker its place; not for people."""


class Place(NamedTuple):
    """Worker `number` of `total`. `listen` is the inherited socket's descriptor, -1: take in nothing, only drain.

    `sockets` is the directory of the sockets on which workers ask each other.
    """

    number: int = 0
    total: int = 1
    listen: int | None = None
    sockets: str = ""

    def data_dir(self, shared: Path) -> Path:
        """Where this worker's journal lies: the first worker's is where a single process has its own."""
        return shared if self.number == 0 else shared / f"worker-{self.number}"

    def socket_of(self, number: int) -> str:
        """The path of a worker's socket."""
        return str(Path(self.sockets) / str(number))

    def others(self) -> list[int]:
        """The numbers of the other workers."""
        return [number for number in range(self.total) if number != self.number]

    def environ(self) -> dict[str, str]:
        """What the supervisor sets for the worker."""
        return {VARIABLE: msgspec.json.encode(self).decode()}


def read_place(environ: Mapping[str, str]) -> Place | None:
    """The place of this process, `None` when no supervisor started it."""
    text = environ.get(VARIABLE)
    return None if text is None else msgspec.json.decode(text, type=Place)


def wanted(workers: str) -> int:
    """How many processes the setting `workers` asks for: `auto` is one per core that may be used."""
    return len(os.sched_getaffinity(0)) if workers == "auto" else int(workers)


def left_over(shared: Path, count: int) -> list[int]:
    """Workers of an earlier start with more of them, whose journals may hold acknowledged logs."""
    numbers = []
    for path in shared.glob("worker-*/journal.sqlite3"):
        suffix = path.parent.name.removeprefix("worker-")
        if suffix.isdigit() and int(suffix) >= count:
            numbers.append(int(suffix))
    return sorted(numbers)


def own_url(settings: Settings) -> str:
    """Where a service with these settings answers on this machine."""
    everywhere = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not bound
    host = everywhere.get(settings.host, settings.host)
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://[{host}]:{settings.port}" if ":" in host else f"{scheme}://{host}:{settings.port}"
