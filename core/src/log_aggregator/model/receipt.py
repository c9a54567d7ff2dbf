"""The answer to records that were submitted, and the key under which a sender's repetition is recognised."""

from __future__ import annotations

from typing import NamedTuple


class Receipt(NamedTuple):
    """The answer to one request: `rejected` holds indexes into its records, with reasons."""

    accepted: int
    rejected: list[tuple[int, str]]
    duplicate: bool
    durable: bool


class AutomaticKey(NamedTuple):
    """A key for clients that choose none and send the same bytes again when an answer was lost.

    Only for bodies whose records carry their own time: without times, two honest equal bodies exist. `sender` tells
    clients apart, such as an API key or a tenant; the key is remembered for ten minutes.
    """

    sender: str
    path: str
    body: bytes
