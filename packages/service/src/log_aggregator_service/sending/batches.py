"""How many logs go together: a full batch, or what there is when the input pauses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from log_aggregator_service.sending.source import IDLE, Log

MAX_BYTES = 4 * 1024 * 1024
"""Of one batch's body; far below what a service takes by default."""


def batches(logs: Iterable[Log | None], size: int) -> Iterator[list[Log]]:
    """Group logs in order: at most `size` and about `MAX_BYTES` together, and none waits much longer than `IDLE`."""
    batch: list[Log] = []
    held = 0
    opened = 0.0
    for log in logs:
        if log is not None:
            if not batch:
                opened = time.monotonic()
            batch.append(log)
            held += len(log.body)
            if len(batch) < size and held < MAX_BYTES and time.monotonic() - opened < IDLE:
                continue
        if batch:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
