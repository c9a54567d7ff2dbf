"""Appends rows to the intake: each is a message, under an id that a repeat has again."""

from __future__ import annotations

import asyncio
import secrets
import zlib

import zstandard
from nats.js.errors import APIError

from log_aggregator.journals import Appended, Entry, JournalError, KeyReusedError, RowContent, TooLargeError, decode_row
from log_aggregator_jetstream.connection import Connection
from log_aggregator_jetstream.kept import MSG_ID
from log_aggregator_jetstream.positions import HEADER, header_of, reader_token
from log_aggregator_jetstream.streams import Names

COMPRESS_FROM = 512
"""Bytes from which on a row is compressed."""

ASIDE_FROM = 1024 * 1024
"""Bytes from which on a row is compressed in another thread, beside the event loop."""

DIGEST, ACCEPTED, DRAWN = "LA-Digest", "LA-Accepted", "LA-Drawn"

HEADERS = 2048
"""Bytes that headers of a row take at most, about."""


class Intake:
    """Writes rows. The partition follows from the key: a repeat must meet the memory of the first."""

    def __init__(self, connection: Connection, names: Names, partitions: int, member: str, max_bytes: int) -> None:
        self._connection = connection
        self._names = names
        self._partitions = partitions
        self._member = member
        self._max_bytes = max_bytes
        self._compressor = zstandard.ZstdCompressor(level=1)
        self.appended_bytes = 0

    async def append(self, entries: list[Entry]) -> list[Appended | KeyReusedError]:
        """What became of each entry, once all are durable. Raises `JournalError` when one is not for certain.

        They are sent in order; one that must be sent again, because the servers were busy, comes behind the others.
        """
        bodies = [await self._packed(entry.payload or b"") for entry in entries]
        tasks = [asyncio.create_task(self._append(entry, body)) for entry, body in zip(entries, bodies, strict=True)]
        await asyncio.wait(tasks)
        return [task.result() for task in tasks]

    async def fits(self, payload: bytes) -> bool:
        """See `SharedJournal.fits`."""
        return self._is_short(await self._packed(payload))

    def _is_short(self, body: bytes, more: int = 0) -> bool:
        """Whether a message of this body, and of `more` bytes in headers than usual, can ever be written."""
        return len(body) + HEADERS + more <= min(self._connection.client.max_payload, self._max_bytes)

    async def _append(self, entry: Entry, body: bytes) -> Appended | KeyReusedError:
        if entry.key is None:
            if entry.payload is None and entry.position is None:
                return Appended(0, entry.accepted)
            return await self._write(entry, body, secrets.token_hex(12))
        # A key and a position may lie in two partitions. The key comes first: after a crash in between the reader
        # sends again, and its repeat is known.
        result = await self._write(entry._replace(position=None), body, entry.key)
        if entry.position is not None and isinstance(result, Appended):
            await self._write(Entry(None, 0, position=entry.position), b"", secrets.token_hex(12))
        return result

    async def _write(self, entry: Entry, body: bytes, key: str) -> Appended | KeyReusedError:
        drawn = secrets.token_hex(8)
        headers = {MSG_ID: key, ACCEPTED: str(entry.accepted), DRAWN: drawn}
        if entry.digest:
            headers[DIGEST] = entry.digest.hex()
        if entry.position is not None:
            reader = reader_token(self._member, entry.position)
            partition = self._partition_of(reader)
            subject = self._names.reader(partition, reader)
            headers[HEADER] = header_of(self._member, entry.position)
        else:
            partition = self._partition_of(key)
            subject = self._names.rows(partition)
        if not self._is_short(body, len(headers.get(HEADER, ""))):
            raise TooLargeError(f"a row of {len(body)} bytes is longer than the servers take")
        try:
            answer = await self._connection.publish(subject, body, headers)
        except APIError as error:
            raise JournalError(f"the journal refuses a row: {error.description}") from error
        self.appended_bytes += len(body)
        if answer.duplicate:
            return await self._known(entry, drawn, self._names.intake(partition), answer.seq)
        return Appended(answer.seq, entry.accepted)

    async def _known(self, entry: Entry, drawn: str, stream: str, sequence: int) -> Appended | KeyReusedError:
        """What came under this id before: this very row, whose answer was lost, or another request."""
        before = await self._connection.message(stream, sequence)
        if before is None:  # stored and purged: it is older than the window, or almost
            return Appended(0, entry.accepted, duplicate=True)
        if before.headers.get(DRAWN) == drawn:
            return Appended(sequence, entry.accepted)
        if before.headers.get(DIGEST, "") != entry.digest.hex():
            return KeyReusedError("this Idempotency-Key came with another body before")
        return Appended(0, int(before.headers[ACCEPTED]), duplicate=True)

    def _partition_of(self, key: str) -> int:
        return zlib.crc32(key.encode()) % self._partitions

    async def _packed(self, payload: bytes) -> bytes:
        if len(payload) < COMPRESS_FROM:
            return payload
        if len(payload) < ASIDE_FROM:
            return self._compressor.compress(payload)
        return await asyncio.to_thread(zstandard.ZstdCompressor(level=1).compress, payload)


def unpacked(body: bytes) -> bytes:
    """A body as it was before it was compressed."""
    return zstandard.ZstdDecompressor().decompress(body) if body.startswith(zstandard.FRAME_HEADER) else body


def row_of(body: bytes) -> RowContent:
    """The records of a message; a position alone has none."""
    return decode_row(unpacked(body)) if body else []
