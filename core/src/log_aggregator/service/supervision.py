"""Tasks that never end by themselves: when one fails, the error is logged and it is started again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from log_aggregator.journal import JournalError

RESTART_TASK = 1.0

Work = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


async def supervised(work: Work, name: str) -> None:
    """Run a task that never ends by itself. When it fails, log the error and start it again."""
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except JournalError as error:  # a full disk is no bug; it is in /health too
            log.warning("internal task waits for the journal", extra={"task": name, "error": str(error)})
            await asyncio.sleep(RESTART_TASK)
        except Exception:
            log.exception("internal task failed and is started again", extra={"task": name})
            await asyncio.sleep(RESTART_TASK)


async def cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; again, as `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=RESTART_TASK)
