"""The stats of one pipeline: totals since it started, and the present state of each part."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from log_aggregator.model.fields.lenient import replaced_timestamps
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.service.partitions.work import PartitionWork
from log_aggregator.service.runtime import Runtime
from log_aggregator.service.workers.merging import merge_values

_PAGE = os.sysconf("SC_PAGE_SIZE")


def stats_of(runtime: Runtime) -> dict[str, Any]:
    """The object of `GET /stats`, of this process alone."""
    ingester, tally = runtime.ingester, runtime.partitions.tally
    of_works = [_of_work(work) for work in runtime.works]
    of_works += [{"sinks": {lane.name: lane.stats()}} for lane in runtime.partitions.lanes_apart]
    of_partitions = of_works[0] if len(of_works) == 1 else merge_values("", [_NO_WORK, *of_works])
    rows, stored = of_partitions["aggregation"]["rows"], sum(work.sealer.logs for work in runtime.works)
    busy = of_partitions["aggregation"]["busy_seconds"] + runtime.processor.busy_seconds
    return {
        "instance": runtime.instance,
        "logs": {
            "accepted": ingester.accepted,
            "rejected": ingester.rejected,
            "refused": ingester.refused,
            "duplicates": ingester.duplicates,
            "aggregated": tally.logs,
            **of_partitions["logs"],
            "timestamps_replaced": replaced_timestamps(),
            "by_level": dict(tally.by_level),
            "errors": tally.errors,
            "errors_by_source": dict(tally.errors_by_source),
        },
        "aggregation": {
            **of_partitions["aggregation"],
            "logs_per_row": round(stored / rows, 3) if rows else None,
            "busy_seconds": round(busy, 6),
        },
        "latency": {"acknowledge": runtime.latency.stats()},
        "queue": of_partitions["queue"],
        "journal": {
            "bytes": ingester.journal_bytes,
            "max_bytes": runtime.settings.journal_max_bytes,
            "commits": runtime.journal.commits,
            "commit_seconds": round(runtime.journal.commit_seconds, 6),
        },
        "memory": {"resident_bytes": resident_bytes()},
        "receivers": runtime.receivers.stats(),
        "sinks": of_partitions["sinks"],
        "plugins": {name: _plugin_stats(runtime, name) for name in runtime.stages.circuits},
    }


_NO_WORK: dict[str, Any] = {
    "logs": {"overflowed": 0},
    "aggregation": {
        "gathering_groups": 0,
        "gathering_bytes": 0,
        "flushes": 0,
        "flushes_reduced": 0,
        "rows": 0,
        "busy_seconds": 0.0,
    },
    "queue": {"records": 0},
    "sinks": {},
}
"""What there is of a process that owns no partition."""


def _of_work(work: PartitionWork) -> dict[str, Any]:
    """The stats of one partition."""
    accumulators, sealer = work.accumulators, work.sealer
    return {
        "logs": {"overflowed": accumulators.overflow.logs},
        "aggregation": {
            "gathering_groups": len(accumulators),
            "gathering_bytes": accumulators.bytes,
            "flushes": sealer.flushes,
            "flushes_reduced": sealer.reduced,
            "rows": sealer.groups,
            "busy_seconds": work.aggregator.busy_seconds,
        },
        "queue": {"records": work.aggregator.queued},
        "sinks": {lane.name: lane.stats() for lane in work.lanes},
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
