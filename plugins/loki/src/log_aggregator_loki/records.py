"""Lines of one stream → records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, RecordTemplate, SentFields, record_of_text
from log_aggregator_loki.labels import LEVELS, stream_of

Time = int | str | float | None

_LEVELS = frozenset(LEVELS)


class LineReader:
    """Makes records of the lines of a stream. The labels are looked at, and limited, once."""

    def __init__(self, labels: Mapping[str, Any], tenant: str | None) -> None:
        """`tenant` is what X-Scope-OrgID said."""
        stream = stream_of(labels)
        metadata = stream.metadata | {"tenant": tenant} if tenant else stream.metadata
        self._level, self._source = stream.level, stream.source
        self._metadata = metadata
        self._template = RecordTemplate(level=stream.level, source=stream.source, metadata=metadata)

    def read(self, line: Any, when: Time, more: Mapping[str, Any] | None = None) -> Record | BadLogError:
        """The record of a line with its structured metadata, or why there is none."""
        if not isinstance(line, str):
            return BadLogError("line: expected a text")
        try:
            if line[:1] != "{" and (not more or _LEVELS.isdisjoint(more)):
                return self._template.record(line, when, more)
            return self._rich(line, when, more or {})
        except BadLogError as error:
            return error

    def _rich(self, line: str, when: Time, more: Mapping[str, Any]) -> Record:
        own = next((more[name] for name in LEVELS if isinstance(more.get(name), str)), None)
        level = own if own and own != "unknown" else self._level
        metadata = self._metadata | {name: value for name, value in more.items() if name not in LEVELS}
        envelope = SentFields(metadata=metadata)
        if when is not None:
            envelope["timestamp"] = when
        if level is not None:
            envelope["level"] = level
        if self._source is not None:
            envelope["source"] = self._source
        return record_of_text(line, envelope=envelope)
