"""One log on its way through the pipeline, its level, and the stable id of its pattern."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from log_aggregator.model.fields.construct import SentFields, fields_of, fields_of_object

LEVELS = ("TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "FATAL")
"""The levels that synonyms are folded into, least severe first. Others are kept, upper-cased."""

ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL"})
"""The levels that count as errors in statistics and trends."""


class Record(msgspec.Struct, gc=False):
    """One log.

    `timestamp` is in microseconds since the Unix epoch (UTC). `level` is upper-case with synonyms folded;
    `level_is_explicit` says whether the client sent one. `pattern` is empty until a `normalize` hook assigns it; its
    id follows from its text, see `pattern_id`. A stage sets `pattern_is_final` when no later stage may change the
    pattern. Records may share one `metadata` object: assign a new one instead of changing it in place.
    `weight` is how many logs the record stands for, itself included: all counts add it up.
    """

    message: str
    level: str
    source: str
    timestamp: int
    metadata: dict[str, Any]
    level_is_explicit: bool = True
    pattern: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    pattern_is_final: bool = False
    weight: int = 1

    @staticmethod
    def of(
        message: str | bytes | float,
        *,
        level: str | float | None = None,
        source: str | float | None = None,
        timestamp: str | float | None = None,
        metadata: Mapping[str, Any] | None = None,
        weight: int = 1,
    ) -> Record:
        """A record of what a receiver read, folded, limited and repaired as by HTTP; the time is now without one.

        Raises `BadLogError`, which says which field, what it is and what was expected.
        """
        fields = fields_of(message, level=level, source=source, timestamp=timestamp, metadata=metadata)
        return Record(*fields, weight=weight)

    @staticmethod
    def from_object(
        log: Mapping[str, Any], *, envelope: SentFields | None = None, defaults: SentFields | None = None
    ) -> Record:
        """A record of a JSON object, whose fields are found by the field table; the rest becomes metadata.

        A field of `envelope`, what the protocol says on purpose, wins over the object; one of `defaults` is taken
        where neither has it. A level from `defaults` is not explicit. What a field cannot use stays in the metadata,
        nulls do not.
        Raises `BadLogError` when there is no message.
        """
        return Record(*fields_of_object(log, envelope=envelope, defaults=defaults))


class DecodedRecords(list[Record]):
    """Records as the decoder made them: every field has its type, no stage has annotated them.

    `shapes` holds the shape of each message.
    """

    __slots__ = ("shapes",)

    def __init__(self, records: list[Record], shapes: list[str]) -> None:
        super().__init__(records)
        self.shapes = shapes

    def clear(self) -> None:
        """Release the records and their shapes."""
        super().clear()
        self.shapes.clear()


MAX_WEIGHT = 2**31
"""The most logs that one record may stand for."""


@lru_cache(maxsize=65536)
def pattern_id(pattern: str) -> str:
    """The stable id of a pattern: 16 hex digits (64 bits of BLAKE2b) of its text.

    The same text has the same id in every instance, for ever. A pattern that is generalised later becomes another
    text with another id; an `Alias` then leads from the old id to the new one.
    """
    return hashlib.blake2b(pattern.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
