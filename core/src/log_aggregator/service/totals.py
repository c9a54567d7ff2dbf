"""What the pipelines of this process counted before a reload, so that totals are since its start."""

from __future__ import annotations

import time
from typing import Any

from log_aggregator.service.workers.merging import summed

_MOST = 1000
"""Levels and sources that are kept by name over reloads; later ones are added up as `(other)`."""


class Totals:
    """The `logs` of `GET /stats`, of all pipelines that ended. `started` is in seconds since 1970."""

    def __init__(self) -> None:
        self.started = time.time()
        self._logs: dict[str, Any] = {}

    def keep(self, stats: dict[str, Any]) -> None:
        """Add the stats of a pipeline that is about to end. `timestamps_replaced` counts for the process already."""
        ended = {name: count for name, count in stats["logs"].items() if name != "timestamps_replaced"}
        self._logs = {name: _bounded(count) for name, count in summed([self._logs, ended]).items()}

    def over(self, stats: dict[str, Any]) -> dict[str, Any]:
        """The stats of the present pipeline with all that went before, and the time since the process started."""
        uptime = {"instance": stats["instance"], "uptime_seconds": round(time.time() - self.started, 3)}
        return uptime | stats | {"logs": summed([stats["logs"], self._logs])}


def _bounded(count: Any) -> Any:
    if not isinstance(count, dict) or len(count) <= _MOST:
        return count
    names = [name for name in count if name != "(other)"]
    kept = {name: count[name] for name in names[:_MOST]}
    return kept | {"(other)": sum(count.values()) - sum(kept.values())}
