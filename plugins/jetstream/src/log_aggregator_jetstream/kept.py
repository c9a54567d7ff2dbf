"""What is kept beside rows and flushes: a value under a name, replaced by compare-and-set or by the newest."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from nats.js.errors import APIError

from log_aggregator.journals import JournalError, SupersededError
from log_aggregator_jetstream.connection import WRONG_LAST_SEQUENCE, Connection
from log_aggregator_jetstream.streams import Names, found

MSG_ID = "Nats-Msg-Id"


class Value(NamedTuple):
    """A value and its revision, which grows with each; 0 where nothing is kept yet."""

    body: bytes
    revision: int


class Kept:
    """The stream of values: its newest message of a subject is the value."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    async def load(self, *name: str) -> Value | None:
        """A value; `None` where nothing is kept. Raises `JournalError`."""
        message = await self._connection.last(self._names.kept, self._names.keep(*name))
        return None if message is None else Value(message.body, message.sequence)

    async def put(self, body: bytes, *name: str) -> None:
        """Replace a value, whatever it is now. Raises `JournalError`."""
        self._check(body)
        try:
            await self._connection.publish(self._names.keep(*name), body, {MSG_ID: secrets.token_hex(12)})
        except APIError as error:
            raise JournalError(f"the journal refuses a value: {error.description}") from error

    async def replace(self, body: bytes, revision: int, *name: str) -> int:
        """Replace a value that is still at a revision; the new one. Raises `SupersededError` when it is not."""
        self._check(body)
        subject, drawn = self._names.keep(*name), secrets.token_hex(12)
        headers = {MSG_ID: drawn, "Nats-Expected-Last-Subject-Sequence": str(revision)}
        try:
            return (await self._connection.publish(subject, body, headers)).seq
        except APIError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise JournalError(f"the journal refuses a value: {error.description}") from error
        newest = await self._connection.last(self._names.kept, subject)
        if newest is not None and newest.headers.get(MSG_ID) == drawn:  # the answer to it was lost
            return newest.sequence
        raise SupersededError(f"{'.'.join(name)} was changed by another process")

    async def names(self, *prefix: str) -> list[tuple[str, ...]]:
        """The names of what is kept below a prefix."""
        subject = self._names.keep(*prefix, ">")
        info = await found(self._connection, self._names.kept, subject)
        start = len(self._names.keep().split("."))
        return [tuple(one.split(".")[start:]) for one in ((info and info.state.subjects) or {})]

    def _check(self, body: bytes) -> None:
        if len(body) + 1024 > self._connection.client.max_payload:
            raise JournalError(f"a value of {len(body)} bytes is longer than max_payload of the servers")


def token(*parts: str) -> str:
    """A name of any characters as one part of a subject."""
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        one = part.encode("utf-8", "surrogatepass")
        whole.update(len(one).to_bytes(8, "big"))
        whole.update(one)
    return whole.hexdigest()
