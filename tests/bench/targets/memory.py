"""How much memory the service takes: idle, and after many logs of 3,000 patterns. MB are 10^6 bytes.

Resident bytes (`rss` as psutil has it) of the service's process, with the default pipeline of `plugins.toml`.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench import answers, candidates, load
from tests.bench.targets import made_up
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE, Options, Row

WANTED_IDLE, WANTED_LOADED = 65.0, 130.0
SIZE, CONNECTIONS = 1000, 8
SETTLE = 3.0
"""Seconds after which a service that has just started, or has just stored everything, is at rest."""

SLOWEST = 5000
"""Logs a second below which sending is given up."""

PIPELINE = Path(__file__).parents[3] / "plugins.toml"


def rows(options: Options, progress: Progress) -> list[Row]:
    """Start, measure, send, flush, measure. Raises `RuntimeError` when other logs are stored than were sent."""
    with candidates.ours(SERVER_CORE, pipeline=PIPELINE.read_text()) as server:
        progress.step("memory: idle")
        time.sleep(SETTLE)
        idle = server.memory() / 1e6
        sent = _send(server, options.logs, progress)
        candidates.flush(server)
        time.sleep(SETTLE)
        loaded, stored = server.memory() / 1e6, answers.stored(server.url)
    if sum(stored.values()) != sent:
        raise RuntimeError(f"{sent:,} logs acknowledged, {sum(stored.values()):,} stored")
    told = f"{loaded:.1f} MB; {sent:,} logs, {len(stored):,} patterns"
    figures = {"idle_bytes": idle * 1e6, "loaded_bytes": loaded * 1e6, "logs": sent, "patterns": len(stored)}
    return [
        _row("RSS idle with the default pipeline", WANTED_IDLE, idle, f"{idle:.1f} MB", figures),
        _row(_loaded_name(options.logs), WANTED_LOADED, loaded, told, figures),
    ]


def _row(what: str, wanted: float, megabytes: float, told: str, figures: dict[str, float]) -> Row:
    return Row(what, f"<= {wanted:.0f} MB", told, megabytes <= wanted, figures)


def _loaded_name(logs: int) -> str:
    return f"RSS after {logs / 1e6:g} million logs with {made_up.PATTERNS:,} patterns"


def _send(server: candidates.Server, logs: int, progress: Progress) -> int:
    """Send so many; how many were acknowledged."""
    requests = max(1, logs // SIZE)
    todo = load.Load(
        f"{server.url}/ingest/batch",
        made_up.bodies(made_up.PATTERNS // SIZE * 10, SIZE),
        CONNECTIONS,
        seconds=60 + logs / SLOWEST,
        requests=requests,
        anew=True,
    )
    sent = load.run(todo, LOAD_CORE, lambda told: progress.bar("memory", told.requests * SIZE, requests * SIZE))
    if sent.requests != requests:
        raise RuntimeError(f"only {sent.requests:,} of {requests:,} batches were taken in {sent.seconds:.0f} s")
    return sent.accepted
