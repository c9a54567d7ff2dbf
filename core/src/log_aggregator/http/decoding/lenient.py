"""The other case: one log at a time, forgiving what can be forgiven and naming what cannot."""

from __future__ import annotations

from typing import Any

import msgspec

from log_aggregator.model.fields import levels, sources
from log_aggregator.model.fields.lenient import BadLogError, kind_of, message_of
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.fields.table import OWN, FieldTable
from log_aggregator.model.record import Record

_OWN = frozenset(OWN)
_DEFAULT = Lifter(FieldTable(), own_names_first=True)


def record_from(log: Any, limits: Limits, now: int, lifter: Lifter = _DEFAULT) -> Record:
    """One decoded JSON value, which is used up → a record. Raises `BadLogError` when it holds no text.

    An object without a message is its own message, as JSON, less the level, source and time.
    """
    if not isinstance(log, dict):
        raise BadLogError(f"expected an object with a 'message', found {kind_of(log)}")
    sent = log.get("message")
    has_other_names = not log.keys() <= _OWN
    message, level, source, timestamp, metadata = lifter.lift(log, now)
    if message is None:
        if sent and isinstance(sent, dict | list):
            message, metadata = _json(sent), {key: value for key, value in metadata.items() if key != "message"}
        elif has_other_names and any(_is_text(value) for value in metadata.values()):
            message, metadata = _json(metadata), {}
        else:
            raise BadLogError(f"message: {'empty' if sent == '' else 'missing'}, expected a text")
    return Record(
        message_of(message, limits),
        level or levels.DEFAULT,
        source or sources.DEFAULT,
        now if timestamp is None else timestamp,
        bounded(metadata, limits),
        level is not None,
    )


def _is_text(value: Any) -> bool:
    return bool(value) or value is False or value == 0


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, RecursionError, OverflowError):
        return ascii(value)
