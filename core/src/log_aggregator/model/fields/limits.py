"""What one log may be made of: the limits of the settings, in the form that decoding needs."""

from __future__ import annotations

from typing import NamedTuple

MAX_KEY_LENGTH = 128
"""Characters of a metadata key; longer ones are cut with a mark."""

VALUES_PER_RECORD = 20
"""JSON values that a body may hold for every record of the largest batch: what bounds its memory."""


class TooManyError(ValueError):
    """A body with more logs than a batch may have."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(f"{found} logs in one body; expected at most {most}: send smaller batches")


class Limits(NamedTuple):
    """The limits of the settings, with their defaults.

    `records` is the most in one batch, `message` characters, `keys`, `depth` and `metadata_bytes` those of metadata.
    """

    records: int = 50_000
    message: int = 16_384
    keys: int = 64
    depth: int = 6
    metadata_bytes: int = 16_384
