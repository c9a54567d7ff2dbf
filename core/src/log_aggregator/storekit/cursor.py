"""How the place in a list of patterns becomes the opaque text of a page cursor."""

from __future__ import annotations

import base64
import binascii

import msgspec

from log_aggregator.store import Order


class CursorError(ValueError):
    """The text is not a cursor of this list."""


class _Place(msgspec.Struct, array_like=True):
    order: str
    rank: int
    pattern_id: str


def write_cursor(order: Order, rank: int, pattern_id: str) -> str:
    """The cursor after a row: its rank in the order (a count or a time), and its id."""
    packed = msgspec.json.encode(_Place(order, rank, pattern_id))
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str, order: Order) -> tuple[int, str]:
    """The rank and id that the page goes on after. Raises `CursorError` for any other text."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(packed, type=_Place)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise CursorError("cursor: not a cursor of this list; start again without it") from None
    if place.order != order:
        raise CursorError(f"cursor: it belongs to the order '{place.order}', not '{order}'")
    return place.rank, place.pattern_id
