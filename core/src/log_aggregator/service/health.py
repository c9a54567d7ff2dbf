"""The health of one process: its parts, its store, and the health checks of its plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from log_aggregator.http.backend import HealthReport
from log_aggregator.journal import JournalError, shared
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.service.runtime import Runtime
from log_aggregator.service.stats import resident_bytes
from log_aggregator.store import Store, StoreHealth

CHECK_TIMEOUT = 2.0
"""Seconds that one check may take."""

ERROR_RATE_TO_DEGRADE = 0.05
"""Share of received logs that were refused or failed a stage beyond which the service is degraded."""


async def health_of(runtime: Runtime) -> HealthReport:
    """The answer to `GET /health`, of this process alone. Never raises; takes a few seconds at most."""
    journal_failure = await _journal_failure(runtime)
    checks, closed_because = _own_checks(runtime, journal_failure), runtime.ingester.closed_because
    store, names = runtime.registrations.store, list(runtime.registrations.checks)
    # Together: while logs come in fast, each wait takes several turns of the event loop, of some 10 ms each.
    database, *answers = await asyncio.gather(
        _check_store(store), *(_run(runtime.registrations.checks[name]) for name in names)
    )
    if database is not None:
        checks["database"] = database
    for name, answer in zip(names, answers, strict=True):
        checks[name] = {"ok": answer is None, "detail": answer or ""}
    # With DURABILITY=memory logs are accepted all the same: the journal holds only flushes then.
    refusing = journal_failure if runtime.settings.durability == "journal" else None
    return _report(closed_because or refusing or None, checks)


def _own_checks(runtime: Runtime, journal_failure: str) -> dict[str, Any]:
    """The checks that ask no plugin."""
    ingester, tally = runtime.ingester, runtime.partitions.tally
    received = max(1, ingester.accepted + ingester.rejected + ingester.refused)
    failed = (ingester.rejected + ingester.refused) / received
    damage = runtime.journal.damage
    checks: dict[str, Any] = {
        "queue": {"ok": True, "records": sum(work.aggregator.queued for work in runtime.works)},
        "memory": {"ok": True, "resident_bytes": resident_bytes()},
        "journal": {
            "ok": not journal_failure and not damage,
            "bytes": ingester.journal_bytes,
            "max_bytes": runtime.settings.journal_max_bytes,
            **({"detail": journal_failure or damage} if journal_failure or damage else {}),
        },
        "rejections": {"ok": failed <= ERROR_RATE_TO_DEGRADE, "share": round(failed, 4)},
        "errors": {"ok": True, "share": round(tally.errors / max(1, tally.logs), 4)},
    }
    if overflow := next(filter(None, (work.accumulators.overflow.complaint() for work in runtime.works)), ""):
        checks["patterns"] = {"ok": False, "detail": overflow}
    if (of_all := shared(runtime.journal)) is not None:
        detail = of_all.degraded or of_all.remark
        checks["replicas"] = {"ok": not of_all.degraded, **({"detail": detail} if detail else {})}
    for lane in sorted(runtime.lanes, key=lambda lane: lane.state not in {"retrying", "stopped"}, reverse=True):
        checks[f"sink {lane.name}"] = {
            "ok": lane.state in {"stored", "delivering"} or not lane.required,
            "state": lane.state,
            "detail": lane.last_error if lane.failures else "",
        }
    for name, circuit in runtime.stages.circuits.items():
        if circuit.complaint:
            checks[f"plugin {name}"] = {"ok": False, "detail": circuit.complaint}
        elif remark := circuit.remark:  # it works, and logs are taken: the service is healthy
            checks[f"plugin {name}"] = {"ok": True, "detail": remark}
    return checks


async def _journal_failure(runtime: Runtime) -> str:
    """Why the journal cannot be written; empty when it can. After a failure a write is tried: no other may come."""
    journal = runtime.journal
    if journal.failure:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await journal.probe()
        except (JournalError, TimeoutError):
            return journal.failure
    return journal.problem


async def _check_store(store: Store | None) -> dict[str, Any] | None:
    """What the store says of itself; `None` where there is none."""
    if store is None:
        return None
    health: StoreHealth | None = None

    async def look() -> str | None:
        nonlocal health
        health = await store.health()
        return None

    problem = await _run(look, package_of(store))
    if health is None:
        return {"ok": False, "detail": problem or "no answer", "latency_ms": None}
    return {"ok": health.reachable, "detail": health.detail, "latency_ms": health.latency_ms}


async def _run(check: Callable[[], Awaitable[str | None]], package: str = "") -> str | None:
    """Run one check: `None` is healthy, a text says what is not. Never raises.

    `package` is the plugin's top-level package where the check itself does not tell.
    """
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT:g} s"
    except (Exception, SystemExit) as error:  # noqa: BLE001  a check of a plugin may raise anything
        return where_raised(error, package or package_of(check))


def _report(closed_because: str | None, checks: dict[str, Any]) -> HealthReport:
    """The status over all checks: each has an `ok` and, when it is not, a `detail`."""
    if closed_because is not None:
        checks["accepting"] = {"ok": False, "detail": closed_because}
        return HealthReport("unhealthy", False, checks)
    healthy = all(check["ok"] for check in checks.values())
    return HealthReport("healthy" if healthy else "degraded", True, checks)
