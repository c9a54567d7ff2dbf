"""Entering and leaving a plugin's lifespan so that its faults stop the start with one line, or nothing at all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from log_aggregator.errors import ConfigError
from log_aggregator.plugins.isolation.where_raised import where_raised

START_DEADLINE = 60.0
"""Seconds that a plugin may take before its yield."""

log = logging.getLogger(__name__)

_entering: set[asyncio.Task[object] | None] = set()


def is_entering() -> bool:
    """Whether the task that runs now is on its way into a plugin's lifespan."""
    return asyncio.current_task() in _entering


@contextlib.asynccontextmanager
async def contained(
    where: str, name: str, lifespan: AbstractAsyncContextManager[None], package: str = ""
) -> AsyncIterator[None]:
    """Live inside `lifespan`. Raises `ConfigError` when it cannot be entered; what it raises on leaving is logged.

    `where` names the plugin's table in the file, `package` its top-level package.
    """
    task = asyncio.current_task()
    _entering.add(task)
    try:
        async with asyncio.timeout(START_DEADLINE):
            await lifespan.__aenter__()
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    except TimeoutError:
        raise ConfigError(f"{where}: lifespan: not ready after {START_DEADLINE:g} s") from None
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: lifespan: {where_raised(error, package)}: {error}") from error
    finally:
        _entering.discard(task)
    try:
        yield
    finally:
        try:
            await lifespan.__aexit__(None, None, None)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the others still close
            log.warning("plugin failed to close", extra={"plugin": name, "error": where_raised(error, package)})
