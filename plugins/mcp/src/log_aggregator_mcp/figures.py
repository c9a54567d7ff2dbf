"""The tools that say how the service itself does: metrics, aggregation, error rates, performance."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator_mcp.answers import clip, ratio, render, second, top
from log_aggregator_mcp.api import get

Since = Annotated[str, Field(description="from this time on: -15m, -24h, -7d, 14:00 (UTC), mark:NAME, or ISO 8601")]
Limit = Annotated[int, Field(ge=1, le=50, description="entries in the answer")]

_DAY = 86_400
_FINEST = 300
_STEPS = 24


async def log_metrics() -> str:
    """How many logs the service took, refused and processed since its start, by level, and what waits."""
    stats, health = await asyncio.gather(get("/stats"), get("/health"))
    logs, uptime = stats["logs"], stats["uptime_seconds"]
    checks: dict[str, Any] = health.get("checks") or {}
    return render(
        {
            "status": health["status"],
            "not_well": {name: clip(check.get("detail", ""), 200) for name, check in checks.items() if not check["ok"]},
            "uptime_seconds": round(uptime),
            "accepted": logs["accepted"],
            "rejected": logs["rejected"],
            "refused_while_overloaded": logs["refused"],
            "duplicates": logs["duplicates"],
            "processed": logs["aggregated"],
            "processed_per_second": ratio(logs["aggregated"], uptime, 2),
            "by_level": top(logs["by_level"], 10),
            "error_share": ratio(logs["errors"], logs["aggregated"]),
            "waiting": {
                "records": stats["queue"]["records"],
                "groups": stats["aggregation"]["gathering_groups"],
                "journal_share": ratio(stats["journal"]["bytes"], stats["journal"]["max_bytes"]),
            },
            "memory_mib": round(stats["memory"]["resident_bytes"] / 2**20, 1),
        }
    )


async def aggregation_statistics() -> str:
    """How well logs were grouped since the start, and how each sink (database, analytics) keeps up."""
    stats = await get("/stats")
    aggregation = stats["aggregation"]
    per_row = aggregation["logs_per_row"]
    return render(
        {
            "flushes": aggregation["flushes"],
            "rows": aggregation["rows"],
            "logs_per_row": per_row,
            "efficiency": None if not per_row else round(1 - 1 / per_row, 4),
            "gathering_groups": aggregation["gathering_groups"],
            "overflowed": stats["logs"]["overflowed"],
            "sinks": [
                {
                    "sink": name,
                    "state": sink["state"],
                    "flushes_behind": sink["lag_flushes"],
                    "delivered": sink["delivered"],
                    "errors": sink["errors"],
                    "lost_logs": sink["lost_logs"],
                    "last_error": clip(sink["last_error"] or "", 200) or None,
                }
                for name, sink in stats["sinks"].items()
            ],
        }
    )


async def error_rates(since: Since = "-1h", limit: Limit = 10) -> str:
    """Errors (levels ERROR, CRITICAL, FATAL) by source, with each source's share, most errors first."""
    span = await get("/series", since=since, step=_DAY)
    step = _fine_step(span["since"], span["until"])
    every, *failed = await asyncio.gather(
        get("/series", since=since, split_by="source", step=step),
        *(get("/series", since=since, split_by="source", level=level, step=step) for level in sorted(ERROR_LEVELS)),
    )
    logs = {series["name"]: series["total"] for series in every["series"]}
    errors: dict[str, int] = {}
    for answer in failed:
        for series in answer["series"]:
            errors[series["name"]] = errors.get(series["name"], 0) + series["total"]
    ordered = sorted(errors, key=lambda source: (-errors[source], source))
    total, whole = sum(errors.values()), sum(logs.values())
    return render(
        {
            "since": second(every["since"]),
            "errors": total,
            "logs": whole,
            "error_share": ratio(total, whole),
            "sources_with_errors": len(ordered),
            "sources": [
                {
                    "source": source,
                    "errors": errors[source],
                    "logs": logs.get(source),
                    "error_share": ratio(errors[source], logs.get(source, 0)),
                }
                for source in ordered[:limit]
            ],
        }
    )


async def performance() -> str:
    """How fast the service is: acknowledgement, processing, journal, database, and what each plugin costs."""
    stats, store = await asyncio.gather(get("/stats"), get("/health/db"))
    logs, journal = stats["logs"]["aggregated"], stats["journal"]
    plugins = {name: plugin["seconds"] for name, plugin in stats["plugins"].items() if plugin["calls"]}
    return render(
        {
            "acknowledge_ms": stats["latency"]["acknowledge"],
            "processing_us_per_log": ratio(stats["aggregation"]["busy_seconds"] * 1e6, logs, 2),
            "journal_commit_ms": ratio(journal["commit_seconds"] * 1000, journal["commits"], 3),
            "database": {"reachable": store["reachable"], "answers_in_ms": store.get("latency_ms")},
            "sink_delivery_ms": {
                name: ratio(sink["seconds"] * 1000, sink["attempts"], 2) for name, sink in stats["sinks"].items()
            },
            "plugin_us_per_log": top({name: ratio(s * 1e6, logs, 2) or 0.0 for name, s in plugins.items()}, 10),
            "slow_calls": top({name: p["slow_calls"] for name, p in stats["plugins"].items() if p["slow_calls"]}),
            "left_out_plugins": [name for name, p in stats["plugins"].items() if p["circuit"] == "open"],
            "memory_mib": round(stats["memory"]["resident_bytes"] / 2**20, 1),
        }
    )


def _fine_step(since: str, until: str) -> int:
    """Seconds of a step. A series begins with a whole step, so a coarse one would count what came earlier."""
    seconds = (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()
    return max(1, math.ceil(seconds / _STEPS / _FINEST)) * _FINEST
