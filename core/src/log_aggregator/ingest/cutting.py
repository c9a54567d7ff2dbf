"""A row that is longer than the journal takes in one piece: its records in pieces that fit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from log_aggregator.journal import encode
from log_aggregator.model.record import Record

TOO_LONG = "the log is longer than the journal takes in one message"


class Pieces(NamedTuple):
    """Records in order, in pieces that fit; and those that fit in none."""

    fitting: list[list[Record]]
    too_long: list[Record]


async def cut(records: list[Record], fits: Callable[[bytes], Awaitable[bool]]) -> Pieces:
    """Cut records that do not fit together. What is left without those that are too long stays together if it fits."""
    pieces = await _halved(records, fits)
    if pieces.too_long and len(pieces.fitting) > 1:
        rest = [record for piece in pieces.fitting for record in piece]
        if await fits(encode(rest)):
            return Pieces([rest], pieces.too_long)
    return pieces


async def _halved(records: list[Record], fits: Callable[[bytes], Awaitable[bool]]) -> Pieces:
    if await fits(encode(records)):
        return Pieces([records], [])
    if len(records) == 1:
        return Pieces([], records)
    await asyncio.sleep(0)
    middle = len(records) // 2
    first, second = await _halved(records[:middle], fits), await _halved(records[middle:], fits)
    return Pieces(first.fitting + second.fitting, first.too_long + second.too_long)
