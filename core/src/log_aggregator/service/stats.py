"""The stats of one process: totals since the start, and the present state of each part."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from log_aggregator.model.fields.lenient import replaced_timestamps
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.service.runtime import Runtime

_PAGE = os.sysconf("SC_PAGE_SIZE")


def stats_of(runtime: Runtime) -> dict[str, Any]:
    """The object of `GET /stats`, of this process alone."""
    accumulators, ingester, sealer = runtime.accumulators, runtime.ingester, runtime.sealer
    tally = accumulators.tally
    return {
        "instance": runtime.instance,
        "uptime_seconds": round(time.time() - runtime.started, 3),
        "logs": {
            "accepted": ingester.accepted,
            "rejected": ingester.rejected,
            "refused": ingester.refused,
            "duplicates": ingester.duplicates,
            "aggregated": tally.logs,
            "overflowed": accumulators.overflowed,
            "timestamps_replaced": replaced_timestamps(),
            "by_level": dict(tally.by_level),
            "errors": tally.errors,
            "errors_by_source": dict(tally.errors_by_source),
        },
        "aggregation": {
            "gathering_groups": len(accumulators),
            "gathering_bytes": accumulators.bytes,
            "flushes": sealer.flushes,
            "rows": sealer.groups,
            "logs_per_row": round(sealer.logs / sealer.groups, 3) if sealer.groups else None,
            "busy_seconds": round(runtime.aggregator.busy_seconds + runtime.processor.busy_seconds, 6),
        },
        "latency": {"acknowledge": runtime.latency.stats()},
        "queue": {"records": runtime.aggregator.queued},
        "journal": {
            "bytes": ingester.journal_bytes,
            "max_bytes": runtime.settings.journal_max_bytes,
            "commits": runtime.journal.commits,
            "commit_seconds": round(runtime.journal.commit_seconds, 6),
        },
        "memory": {"resident_bytes": resident_bytes()},
        "receivers": runtime.receivers.stats(),
        "sinks": {lane.name: lane.stats() for lane in runtime.lanes},
        "plugins": {name: _plugin_stats(runtime, name) for name in runtime.stages.circuits},
    }


def _plugin_stats(runtime: Runtime, name: str) -> dict[str, Any]:
    stats = runtime.stages.circuits[name].stats() | runtime.stages.refusals.stats(name)
    intake = runtime.registrations.intakes.get(name)
    stats |= intake.stats() if intake is not None else {}
    own = runtime.registrations.stats.get(name)
    if own is not None:
        try:
            stats["figures"] = own()
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the other stats stand
            stats["figures"] = {"error": where_raised(error, package_of(own))}
    return stats


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
