"""Waiting for an outcome that must be known, even when the task that waits is cancelled."""

from __future__ import annotations

import asyncio
from typing import TypeVar

Result = TypeVar("Result")


async def uninterrupted(outcome: asyncio.Future[Result]) -> Result:
    """The result of a future that is certain to come; a cancellation is raised when it is there.

    A receiver that was cancelled during a commit would otherwise start again at the position before, and send records
    that are about to become durable once more.
    """
    cancelled: asyncio.CancelledError | None = None
    while not outcome.done():
        try:
            await asyncio.wait({outcome})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not outcome.cancelled():
            outcome.exception()  # it counts as looked at
        raise cancelled
    return outcome.result()
