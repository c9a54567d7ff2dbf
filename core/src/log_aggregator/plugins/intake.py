"""What a plugin takes in: where it listens, and what became of the logs that came."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from log_aggregator.errors import OverloadedError, Reject
from log_aggregator.model.receipt import Receipt


class Intake:
    """The figures of one plugin that takes logs in; of the others it stays empty."""

    def __init__(self) -> None:
        self.listens: list[str] = []
        self._accepted = self._duplicates = self._rejected = self._refused = self._overloaded = 0

    async def counted(self, submitted: Awaitable[Receipt], logs: int) -> Receipt:
        """Wait for what was submitted, and count it. Raises what it raises."""
        try:
            receipt = await submitted
        except OverloadedError:
            self._overloaded += 1
            raise
        except Reject:
            self._refused += logs
            raise
        if receipt.duplicate:
            self._duplicates += receipt.accepted
        else:
            self._accepted += receipt.accepted
        self._rejected += len(receipt.rejected)
        return receipt

    def stats(self) -> dict[str, Any]:
        """For `/stats`; empty for a plugin that takes nothing in. `overloaded` counts attempts, the others logs."""
        counts = {
            "accepted": self._accepted,
            "duplicates": self._duplicates,
            "rejected": self._rejected,
            "refused": self._refused,
            "overloaded": self._overloaded,
        }
        if not self.listens and not any(counts.values()):
            return {}
        return {"intake": {"listens": self.listens, **counts}}
