"""Records that share most of their fields: what they share is folded, limited and repaired once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from log_aggregator.model.fields.construct import bounded_metadata, message_and_time
from log_aggregator.model.record import Record


class RecordTemplate:
    """Level, source and metadata of the records of one stream, as `Record.of` would make them of each."""

    __slots__ = ("_is_explicit", "_level", "_metadata", "_source")

    def __init__(
        self,
        *,
        level: str | float | None = None,
        source: str | float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises `BadLogError`."""
        first = Record.of("-", level=level, source=source, metadata=metadata)
        self._level, self._is_explicit, self._source = first.level, first.level_is_explicit, first.source
        self._metadata = first.metadata

    def record(
        self, message: str | bytes | float, timestamp: str | float | None = None, more: Mapping[str, Any] | None = None
    ) -> Record:
        """A record with this message, time and more metadata; a `dict` is the record's from now on.

        Raises `BadLogError`.
        """
        unbelieved: dict[str, Any] = {}
        text, when = message_and_time(message, timestamp, unbelieved)
        metadata = self._metadata
        if unbelieved:
            metadata = bounded_metadata({**metadata, **(more or {}), **unbelieved})
        elif more:
            metadata = bounded_metadata(more if not metadata and type(more) is dict else {**metadata, **more})
        return Record(text, self._level, self._source, when, metadata, self._is_explicit)
