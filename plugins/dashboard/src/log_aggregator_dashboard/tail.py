"""The live tail: who watches, what they want to see, and a bounded buffer for each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Record, pattern_id

MAX_WAITING = 1000
"""Logs that wait for one watcher. When more come, the oldest are left out and counted."""

MAX_MESSAGE = 2000
"""Characters of a message that a tail shows."""

MAX_KEYS, MAX_VALUE = 50, 500
"""Keys of the metadata that a tail shows, and characters of each value."""


class Wanted(BaseModel):
    """Which logs a watcher wants to see; an empty text means all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: str = Field("", max_length=100)
    source: str = Field("", max_length=100)
    q: str = Field("", max_length=1000, description="part of the message, any case")


class Watcher:
    """What one tail shows. `covers` says which sources it may show; `None`: all."""

    def __init__(self, wanted: Wanted, covers: Callable[[str], bool] | None = None) -> None:
        self._covers = covers
        self._level, self._source, self._q = wanted.level.upper(), wanted.source, wanted.q.casefold()
        self._waiting: deque[Record] = deque(maxlen=MAX_WAITING)
        self._missed = 0
        self._passed = 0

    def offer(self, records: Sequence[Record]) -> None:
        """Keep the records that match the filters of this tail, and count those that do not."""
        for record in records:
            if self._wants(record):
                self._missed += len(self._waiting) == MAX_WAITING
                self._waiting.append(record)
            elif self._covers is None or self._covers(record.source):
                self._passed += 1

    def take(self) -> tuple[list[dict[str, Any]], int]:
        """What waited, oldest first, and how many logs were left out since the last call."""
        logs, missed = [_shown(record) for record in self._waiting], self._missed
        self._waiting.clear()
        self._missed = 0
        return logs, missed

    def take_passed(self) -> int:
        """How many logs did not match since the last call. Logs that the watcher may not see are not counted."""
        passed, self._passed = self._passed, 0
        return passed

    def _wants(self, record: Record) -> bool:
        return (
            (not self._level or record.level == self._level)
            and (not self._source or record.source == self._source)
            and (not self._q or self._q in record.message.casefold())
            and (self._covers is None or self._covers(record.source))
        )


def _shown(record: Record) -> dict[str, Any]:
    message = record.message
    return {
        "time": record.timestamp // 1000,
        "level": record.level,
        "source": record.source,
        "message": message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "…",
        "pattern_id": pattern_id(record.pattern or message),
        "category": record.category,
        "metadata": {str(key)[:MAX_VALUE]: _text(value) for key, value in islice(record.metadata.items(), MAX_KEYS)},
    }


def _text(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
