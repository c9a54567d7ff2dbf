"""What one log may be made of, as the environment says."""

from __future__ import annotations

from log_aggregator.config.settings import Settings
from log_aggregator.model.fields.limits import Limits


def limits_of(settings: Settings) -> Limits:
    """The limits that the environment sets."""
    return Limits(
        settings.max_batch_records,
        settings.max_message_length,
        settings.max_metadata_keys,
        settings.max_metadata_depth,
        settings.max_metadata_bytes,
    )
