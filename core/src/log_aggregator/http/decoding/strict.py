"""The good case: a body whose logs are all as the limits want them, decoded in one pass of C code.

The types are the limits: what does not fit them makes the decoder raise, and the body goes the
careful way instead. So no record is looked at twice here.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from log_aggregator.model.fields import levels, sources
from log_aggregator.model.fields.levels import Levels
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.limits import MAX_KEY_LENGTH, Limits, TooManyError
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.fields.sources import Sources
from log_aggregator.model.fields.table import FieldTable
from log_aggregator.model.fields.text import clean, is_dirty, may_be_dirty
from log_aggregator.model.fields.timestamps import parse
from log_aggregator.model.record import DecodedRecords, Record
from log_aggregator.model.shapes import shape_of, shapes_of

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
LevelNumber = Annotated[int, Meta(ge=-levels.LARGEST, le=levels.LARGEST)]
Stamp = str | Integer | float | None


class UnusualError(ValueError):
    """The body is not the good case: decode it the careful way."""


class Strict:
    """Decodes bodies of one service; holds what is remembered between bodies. Not for threads."""

    def __init__(self, limits: Limits, lifter: Lifter | None = None) -> None:
        self._limits = limits
        self._lifter = lifter or Lifter(FieldTable(), own_names_first=True)
        self._levels = Levels()
        self._sources = Sources()
        # Two keys of one log are at most this far apart when neither its message nor its metadata is too long.
        self._window = min(limits.message, limits.metadata_bytes) // 2
        flat, nested = _log_types(limits)
        self._flat = _decoders(flat)
        self._nested = _decoders(nested)
        self._flat_one, self._nested_one = self._flat["one"].decode, self._nested["one"].decode
        self._flat_objects = _decoders(_flat_object(limits))
        self._any_objects = _decoders(dict[str, Any])

    def one(self, raw: bytes, now: int) -> Record:
        """A body that is one log. Raises `UnusualError`."""
        try:
            if len(raw) > self._window or may_be_dirty(raw):
                return self._inspected([self._nested_one(raw)], now)[0]
            return self._record(self._flat_one(raw), now)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._objects_of(raw, "one", now)[0]

    def many(self, raw: bytes, form: str, now: int) -> list[Record]:
        """A body of several logs; `form` is `object`, `array` or `lines`.

        Raises `UnusualError`, and `TooManyError` when it is certain that there are too many.
        """
        if not may_be_dirty(raw) and self._is_close(raw):
            try:
                return self._build_or_lift(_decode(self._flat, form, raw), now)
            except TooManyError:
                raise
            except (msgspec.MsgspecError, ValueError, RecursionError):
                pass  # neither other names nor nested metadata are unusual enough for the careful way
        try:
            return self._inspected(_decode(self._nested, form, raw), now)
        except TooManyError:
            raise
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._objects_of(raw, form, now)

    def _objects_of(self, raw: bytes, form: str, now: int) -> DecodedRecords:
        """Objects with any names. Raises `UnusualError`, and `TooManyError`."""
        if may_be_dirty(raw):
            raise UnusualError
        for decoders, is_flat in ((self._flat_objects, True), (self._any_objects, False)):
            try:
                logs = [decoders["one"].decode(raw)] if form == "one" else _decode(decoders, form, raw)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
            if len(logs) > self._limits.records:
                raise TooManyError(len(logs), self._limits.records)
            return self._lifted(logs, now, is_fine=is_flat and self._is_close(raw, self._lifter.message_key(logs)))
        raise UnusualError

    def _lifted(self, logs: list[dict[str, Any]], now: int, *, is_fine: bool) -> DecodedRecords:
        """The records of objects; `is_fine` says that none is too large and that they are flat."""
        lift, most = self._lifter.lift, self._limits.message
        records = []
        for log in logs:
            message, level, source, timestamp, rest = lift(log, now)
            if message is None or len(message) > most:
                raise UnusualError
            records.append(
                Record(
                    message,
                    level or levels.DEFAULT,
                    source or sources.DEFAULT,
                    now if timestamp is None else timestamp,
                    rest if is_fine else bounded(rest, self._limits),
                    level is not None,
                )
            )
        return DecodedRecords(records, shapes_of([record.message for record in records]))

    def _is_close(self, raw: bytes, name: bytes = b'"message":') -> bool:
        """Whether each window of the body holds a key such as `"message":`, so that no log's part is too long.

        Looks at a few hundred bytes of a body, not at all of them.
        """
        position, window = 0, self._window
        while position + window < len(raw):
            found = raw.rfind(name, position, position + window)
            if found < 0:
                return False
            position = found + 1
        return True

    def _record(self, log: Any, now: int) -> Record:
        level, level_is_explicit = self._levels[log.level]
        when = now if log.timestamp is None else parse(log.timestamp, now)
        return Record(log.message, level, self._sources[log.source], when, log.metadata or {}, level_is_explicit)

    def _build(self, sent: list[Any], now: int) -> DecodedRecords:
        if len(sent) > self._limits.records:
            raise TooManyError(len(sent), self._limits.records)
        levels, named = self._levels, self._sources
        empty: dict[str, Any] = {}
        shapes = shapes_of([log.message for log in sent])
        return DecodedRecords(
            [
                Record(
                    log.message,
                    (level := levels[log.level])[0],
                    named[log.source],
                    now if log.timestamp is None else parse(log.timestamp, now),
                    log.metadata or empty,
                    level[1],
                )
                for log in sent
            ],
            shapes,
        )

    def _build_or_lift(self, sent: list[Any], now: int) -> DecodedRecords:
        """As `_build`; a log of which a field is no good, such as a time to come, is lifted, and no other."""
        try:
            return self._build(sent, now)
        except TooManyError:
            raise
        except ValueError:
            records: list[Record] = []
        for log in sent:
            try:
                records.append(self._record(log, now))
            except ValueError:
                fields = {name: value for name in log.__struct_fields__ if (value := getattr(log, name)) is not None}
                records += self._lifted([fields], now, is_fine=False)
        return DecodedRecords(records, shapes_of([record.message for record in records]))

    def _inspected(self, sent: list[Any], now: int) -> list[Record]:
        records = self._build(sent, now)
        for place, record in enumerate(records):
            if is_dirty(record.message):
                record.message = clean(record.message)
                records.shapes[place] = shape_of(record.message)
            if record.metadata:
                record.metadata = bounded(record.metadata, self._limits)
            if not record.message:
                raise UnusualError
        return records


def _log_types(limits: Limits) -> tuple[type[Struct], type[Struct]]:
    message = Annotated[str, Meta(min_length=1, max_length=limits.message)]
    source = Annotated[str, Meta(max_length=sources.MAX_LENGTH)] | None
    value = str | Integer | float | bool | None
    flat = Annotated[dict[Annotated[str, Meta(max_length=MAX_KEY_LENGTH)], value], Meta(max_length=limits.keys)] | None
    return _log_type(message, source, flat), _log_type(message, source, dict[str, Any] | None)


def _log_type(message: Any, source: Any, metadata: Any) -> type[Struct]:
    return msgspec.defstruct(
        "Log",
        [
            ("message", message),
            ("level", str | LevelNumber | None, None),
            ("source", source, None),
            ("timestamp", Stamp, None),
            ("metadata", metadata, None),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )


def _flat_object(limits: Limits) -> Any:
    """An object with any names, whose values are neither objects nor lists."""
    key = Annotated[str, Meta(max_length=MAX_KEY_LENGTH)]
    value = str | Integer | float | bool | None
    return Annotated[dict[key, value], Meta(min_length=1, max_length=limits.keys)]


def _decoders(log: Any) -> dict[str, msgspec.json.Decoder[Any]]:
    wrapped = msgspec.defstruct("Batch", [("logs", list[log])], forbid_unknown_fields=True, gc=False)
    return {
        "one": msgspec.json.Decoder(log),
        "lines": msgspec.json.Decoder(log),
        "array": msgspec.json.Decoder(list[log]),
        "object": msgspec.json.Decoder(wrapped),
    }


def _decode(decoders: dict[str, msgspec.json.Decoder[Any]], form: str, raw: bytes) -> list[Any]:
    if form == "lines":
        return decoders["lines"].decode_lines(raw)
    decoded: Any = decoders[form].decode(raw)
    logs: list[Any] = decoded.logs if form == "object" else decoded
    return logs
