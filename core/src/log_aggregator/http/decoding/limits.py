"""What one log may be made of: the limits of the settings, in the form that decoding needs."""

from __future__ import annotations

from typing import NamedTuple

from log_aggregator.config.settings import Settings

MAX_KEY_LENGTH = 128
"""Characters of a metadata key; longer ones are cut with a mark."""

VALUES_PER_RECORD = 20
"""JSON values that a body may hold for every record of the largest batch: what bounds its memory."""


class TooManyError(ValueError):
    """A body with more logs than a batch may have."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(f"{found} logs in one body; expected at most {most}: send smaller batches")


class Limits(NamedTuple):
    """The limits of the settings; see there."""

    records: int
    message: int
    keys: int
    depth: int
    metadata_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the environment sets."""
        return cls(
            settings.max_batch_records,
            settings.max_message_length,
            settings.max_metadata_keys,
            settings.max_metadata_depth,
            settings.max_metadata_bytes,
        )
