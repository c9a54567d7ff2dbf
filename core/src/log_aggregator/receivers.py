"""What the author of a receiver imports beside `log_aggregator`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from log_aggregator.errors import OverloadedError
from log_aggregator.listeners import (
    Connection,
    Datagram,
    Frame,
    FrameTooLargeError,
    Listener,
    SlowSenderError,
    Tls,
)
from log_aggregator.model.fields.construct import SentFields
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.receipt import AutomaticKey, Receipt
from log_aggregator.model.record import Record

if TYPE_CHECKING:
    from log_aggregator.hookspecs import Service

__all__ = [
    "AutomaticKey",
    "BadLogError",
    "Connection",
    "Datagram",
    "Frame",
    "FrameTooLargeError",
    "Listener",
    "OverloadedError",
    "Receipt",
    "SentFields",
    "SlowSenderError",
    "Tls",
    "ingest_when_possible",
]


async def ingest_when_possible(
    service: Service,
    records: Sequence[Record],
    *,
    key: str | AutomaticKey | None = None,
    position: tuple[str, bytes] | None = None,
) -> Receipt:
    """`service.ingest`, again and again while the service is overloaded: for senders that can wait.

    The caller reads nothing meanwhile, so the sender is held back. Raises `Reject`.
    """
    while True:
        try:
            return await service.ingest(records, key=key, position=position)
        except OverloadedError as error:
            await asyncio.sleep(error.retry_after)
