"""What `/stats` and `/health` say of the running service: a reading of every room's figures."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from log_aggregator.http.backend import HealthReport
from log_aggregator.journal import JournalError, touch
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.service.health import CHECK_TIMEOUT, ERROR_RATE_TO_DEGRADE, ask, report
from log_aggregator.service.stats import resident_bytes
from log_aggregator.store import Store, StoreHealth

if TYPE_CHECKING:
    from log_aggregator.service.service import Service


def stats_of(service: Service) -> dict[str, Any]:
    """Totals since the start, and how every room stands now."""
    door, pipeline, sealer, tally = service.door, service.pipeline, service.sealer, service.tally
    return {
        "instance": service.instance,
        "uptime_seconds": round(time.time() - service.started, 3),
        "logs": {
            "accepted": door.accepted,
            "rejected": door.rejected,
            "refused": door.refused,
            "duplicates": door.duplicates,
            "aggregated": tally.logs,
            "overflowed": pipeline.overflowed,
            "by_level": dict(tally.by_level),
            "errors": tally.errors,
            "errors_by_source": dict(tally.errors_by_source),
        },
        "aggregation": {
            "gathering_groups": pipeline.groups,
            "gathering_bytes": pipeline.gathered_bytes,
            "flushes": sealer.flushes,
            "rows": sealer.groups,
            "logs_per_row": round(sealer.logs / sealer.groups, 3) if sealer.groups else None,
            "busy_seconds": round(pipeline.busy_seconds + service.processor.busy_seconds, 6),
        },
        "latency": {"acknowledge": service.acknowledge.figures()},
        "queue": {"records": pipeline.queued},
        "journal": {
            "bytes": door.journal_bytes,
            "max_bytes": service.settings.journal_max_bytes,
            "commits": service.writer.commits,
            "commit_seconds": round(service.writer.commit_seconds, 6),
        },
        "memory": {"resident_bytes": resident_bytes()},
        "sinks": {lane.name: lane.figures() for lane in service.lanes},
        "plugins": {name: _plugin_stats(service, name) for name in service.stages.circuits},
    }


def _plugin_stats(service: Service, name: str) -> dict[str, Any]:
    figures = service.stages.circuits[name].stats() | service.stages.refusals.stats(name)
    own = service.registrations.figures.get(name)
    if own is not None:
        try:
            figures["figures"] = own()
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the other figures stand
            figures["figures"] = {"error": where_raised(error, package_of(own))}
    return figures


async def health_of(service: Service) -> HealthReport:
    """Look at every room and ask every plugin."""
    door, tally = service.door, service.tally
    received = max(1, door.accepted + door.rejected + door.refused)
    failed = (door.rejected + door.refused) / received
    broken = await _journal_failure(service)
    checks: dict[str, Any] = {
        "queue": {"ok": True, "records": service.pipeline.queued},
        "memory": {"ok": True, "resident_bytes": resident_bytes()},
        "journal": {
            "ok": not broken,
            "bytes": door.journal_bytes,
            "max_bytes": service.settings.journal_max_bytes,
            **({"detail": broken} if broken else {}),
        },
        "rejections": {"ok": failed <= ERROR_RATE_TO_DEGRADE, "share": round(failed, 4)},
        "errors": {"ok": True, "share": round(tally.errors / max(1, tally.logs), 4)},
    }
    for lane in service.lanes:
        ok = lane.state in {"stored", "delivering"} or not lane.required
        checks[f"sink {lane.name}"] = {
            "ok": ok,
            "state": lane.state,
            "detail": lane.last_error if lane.failures else "",
        }
    for name, circuit in service.stages.circuits.items():
        if circuit.complaint:
            checks[f"plugin {name}"] = {"ok": False, "detail": circuit.complaint}
    store = service.store
    if store is not None:
        checks["database"] = await _database(store)
    names = list(service.registrations.checks)
    answers = await asyncio.gather(*(ask(service.registrations.checks[name]) for name in names))
    for name, answer in zip(names, answers, strict=True):
        checks[name] = {"ok": answer is None, "detail": answer or ""}
    # With DURABILITY=memory logs are taken all the same, and the journal is only where flushes wait.
    refusing = broken if service.settings.durability == "journal" else None
    return report(door.closed_because or refusing or None, checks)


async def _journal_failure(service: Service) -> str:
    """Why the journal cannot be written; empty when it can. After a failure it is tried: nobody else may write now."""
    if service.writer.failure:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await service.writer.submit(touch)
        except (JournalError, TimeoutError):
            return service.writer.failure
    return ""


async def _database(store: Store) -> dict[str, Any]:
    health: StoreHealth | None = None

    async def look() -> str | None:
        nonlocal health
        health = await store.health()
        return None

    problem = await ask(look, package_of(store))
    if health is None:
        return {"ok": False, "detail": problem or "no answer", "latency_ms": None}
    return {"ok": health.reachable, "detail": health.detail, "latency_ms": health.latency_ms}
