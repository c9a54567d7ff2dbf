"""Where receivers stand: in the header of the message that holds their records, so both are there or neither.

The newest message of a reader's subject has its position. Before such a message is purged, its position is kept.
"""

from __future__ import annotations

import base64

import msgspec

from log_aggregator.journals import ReaderPosition
from log_aggregator_jetstream.connection import Connection
from log_aggregator_jetstream.kept import Kept, token
from log_aggregator_jetstream.streams import Names, found

HEADER = "LA-Position"


class _Written(msgspec.Struct, array_like=True):
    member: str
    plugin: str
    name: str
    value: bytes
    sequence: int = 0


_decoder = msgspec.msgpack.Decoder(_Written)


def reader_token(member: str, position: ReaderPosition) -> str:
    """The reader as a part of a subject. Machines have files of the same name, so the member belongs to it."""
    return token(member, position.plugin, position.name)


def header_of(member: str, position: ReaderPosition) -> str:
    """The value of the header."""
    return base64.b64encode(msgspec.msgpack.encode(_Written(member, *position))).decode()


async def read_positions(
    connection: Connection, names: Names, kept: Kept, partitions: int, member: str
) -> list[ReaderPosition]:
    """Where this member's receivers stand. Raises `JournalError`."""
    positions: dict[str, _Written] = {}
    for name in await kept.names("position"):
        value = await kept.load(*name)
        if value is not None:
            positions[name[-1]] = _decoder.decode(value.body)
    for partition in range(partitions):
        for subject in await _subjects(connection, names, partition):
            newest = await connection.last(names.intake(partition), subject)
            if newest is not None:
                positions[subject.rpartition(".")[2]] = _written(newest.headers)
    return [ReaderPosition(one.plugin, one.name, one.value) for one in positions.values() if one.member == member]


async def keep_positions(connection: Connection, names: Names, kept: Kept, partition: int, upto: int) -> None:
    """Keep the positions whose newest message is about to be purged. Raises `JournalError`: purge nothing then."""
    for subject in await _subjects(connection, names, partition):
        newest = await connection.last(names.intake(partition), subject)
        if newest is None or newest.sequence > upto:
            continue
        name = ("position", subject.rpartition(".")[2])
        before = await kept.load(*name)
        if before is not None and _decoder.decode(before.body).sequence >= newest.sequence:
            continue
        written = _written(newest.headers)
        written.sequence = newest.sequence
        await kept.replace(msgspec.msgpack.encode(written), 0 if before is None else before.revision, *name)


async def _subjects(connection: Connection, names: Names, partition: int) -> list[str]:
    info = await found(connection, names.intake(partition), names.reader(partition, "*"))
    return list((info and info.state.subjects) or {})


def _written(headers: dict[str, str]) -> _Written:
    return _decoder.decode(base64.b64decode(headers[HEADER]))
