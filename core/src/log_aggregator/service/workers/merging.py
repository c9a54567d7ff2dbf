"""Merges the answers of several workers: sums, worst states, lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from log_aggregator.http.backend import HealthReport, Status

_HIGHEST = {"uptime_seconds", "p50_ms", "p90_ms", "p99_ms", "failures_in_a_row", "pause_seconds"}
"""Stats of which the highest of all workers is shown; all other numbers are summed."""

_WORST: dict[str, Sequence[str]] = {
    "state": ("stopped", "retrying", "delivering", "stored"),
    "circuit": ("open", "closed"),
    "outcome": ("waiting", "stored"),
}


def merge_stats(stats: list[dict[str, Any]]) -> dict[str, Any]:
    """The stats of all workers, in the form of those of one."""
    merged: dict[str, Any] = merge_values("", stats)
    merged["instance"] = [one["instance"] for one in stats]
    merged["workers"] = len(stats)
    aggregation = merged["aggregation"]
    stored = sum((one["aggregation"]["logs_per_row"] or 0) * one["aggregation"]["rows"] for one in stats)
    aggregation["logs_per_row"] = round(stored / aggregation["rows"], 3) if aggregation["rows"] else None
    return merged


def summed(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts by name, and by name within a name, added up; the names of the first come first."""
    merged: dict[str, Any] = merge_values("", counts)
    return merged


def merge_flushes(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer to `POST /flush` of all workers."""
    return {
        "groups": sum(answer["groups"] for answer in answers),
        "sealed": all(answer["sealed"] for answer in answers),
        "sinks": merge_values("sinks", [answer["sinks"] for answer in answers]),
    }


def merge_health(reports: list[HealthReport]) -> HealthReport:
    """The worst status of all; accepting while one worker accepts."""
    checks: dict[str, Any] = {}
    for report in reports:
        for name, check in report.checks.items():
            known = checks.get(name)
            if known is None or (known["ok"] and not check["ok"]):
                checks[name] = check
    accepting = any(report.accepting for report in reports)
    order: tuple[Status, ...] = ("unhealthy", "degraded", "healthy")
    status = min((report.status for report in reports), key=order.index)
    return HealthReport("degraded" if accepting and status == "unhealthy" else status, accepting, checks)


def merge_values(name: str, values: list[Any]) -> Any:
    """Values of one name as one: sums, the highest, the worst, or the first."""
    present = [value for value in values if value is not None]
    if not present:
        return None
    first = present[0]
    if isinstance(first, dict):
        keys = dict.fromkeys(key for value in present for key in value)
        return {key: merge_values(key, [value[key] for value in present if key in value]) for key in keys}
    if isinstance(first, bool):
        return any(present)
    if isinstance(first, int | float):
        return max(present) if name in _HIGHEST else sum(present)
    if name in _WORST:
        return min(present, key=_WORST[name].index)
    return first
