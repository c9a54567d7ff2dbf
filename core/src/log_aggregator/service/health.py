"""Whether the service is well: what is asked at `GET /health`, and what each answer means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from log_aggregator.http.backend import HealthReport
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

CHECK_TIMEOUT = 2.0
"""Seconds that one check may take."""

ERROR_RATE_TO_DEGRADE = 0.05
"""Share of received logs that were refused or failed a stage beyond which the service is degraded."""


async def ask(check: Callable[[], Awaitable[str | None]], package: str = "") -> str | None:
    """Run one check: `None` is well, a text says what is not. Never raises, never takes long.

    `package` is the plugin's top-level package where the check itself does not tell.
    """
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT:g} s"
    except (Exception, SystemExit) as error:  # noqa: BLE001  a check of a plugin may raise anything
        return where_raised(error, package or package_of(check))


def report(closed_because: str | None, checks: dict[str, Any]) -> HealthReport:
    """The verdict over all checks: each has an `ok` and, when it is not, a `detail`."""
    if closed_because is not None:
        checks["accepting"] = {"ok": False, "detail": closed_because}
        return HealthReport("unhealthy", False, checks)
    well = all(check["ok"] for check in checks.values())
    return HealthReport("healthy" if well else "degraded", True, checks)
