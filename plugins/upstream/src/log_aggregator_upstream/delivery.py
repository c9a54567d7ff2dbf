"""What one service sends another: a part of its aggregates, with its place in the chain of all that it sends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import msgspec
import zstandard
from msgspec import Meta

from log_aggregator.sinks import Aggregate, Alias, Position
from log_aggregator_upstream.columns import Columns

VERSION = 1
"""Version of the format; raised by incompatible changes."""

CONTENT_TYPE = "application/vnd.log-aggregator.aggregates+msgpack"

MAX_VIA = 1000
"""Services that a delivery names on its way."""

LEVEL, SMALL_LEVEL = 9, 19
"""Of zstd: a body is compressed once a window, and a small one at its best."""

SMALL = 1024 * 1024
"""Bytes up to which a body is small: beyond, the best compression takes much memory."""

Id = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
_Counter = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Place = tuple[_Counter, _Counter]


class Delivery(msgspec.Struct, frozen=True):
    """The body of `POST /aggregates`, as msgpack.

    `edge` is the service that sends it; `previous` is the place of its delivery before, `(0, 0)` for the first. `via`
    names every service that these aggregates may have passed. `bucket`: seconds that an aggregate covers.
    """

    version: int
    edge: Id
    place: _Place
    previous: _Place
    via: Annotated[list[Id], Meta(max_length=MAX_VIA)]
    bucket: Annotated[int, Meta(ge=1, le=86_400)]
    columns: Columns
    aliases: tuple[Alias, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """What all deliveries of one sealing have in common."""

    edge: str
    via: list[str]
    bucket: int


class Part(NamedTuple):
    """What becomes one delivery."""

    aggregates: list[Aggregate]
    aliases: tuple[Alias, ...] = ()

    @property
    def logs(self) -> int:
        """The logs that it counts."""
        return sum([aggregate.count for aggregate in self.aggregates])


_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Delivery).decode


def parts(
    aggregates: Sequence[Aggregate], aliases: tuple[Alias, ...], max_bytes: int, max_groups: int
) -> Iterator[Part]:
    """The aggregates in parts of at most about `max_bytes`, unless a single one has more. The first has the aliases."""
    part, size = Part([], aliases), 0
    for aggregate in aggregates:
        added = len(_encode(aggregate))
        if part.aggregates and (size + added > max_bytes or len(part.aggregates) >= max_groups):
            yield part
            part, size = Part([]), 0
        part.aggregates.append(aggregate)
        size += added
    if part.aggregates or part.aliases:
        yield part


def body_of(head: Head, place: Position, previous: Position, part: Part) -> bytes:
    """The body of a delivery, compressed."""
    columns = Columns.of(part.aggregates)
    plain = _encode(Delivery(VERSION, head.edge, place, previous, head.via, head.bucket, columns, part.aliases))
    return zstandard.ZstdCompressor(level=SMALL_LEVEL if len(plain) <= SMALL else LEVEL).compress(plain)
