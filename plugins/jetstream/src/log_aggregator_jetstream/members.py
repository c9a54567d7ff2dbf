"""Which members live, and which of them owns a partition. Ownership saves work; what counts is decided by each seal."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Iterable

from nats.js.errors import APIError

from log_aggregator.journals import JournalError
from log_aggregator_jetstream.connection import Connection
from log_aggregator_jetstream.kept import MSG_ID
from log_aggregator_jetstream.streams import Names, found

BEAT = 0.7
"""Seconds between two signs of life."""

log = logging.getLogger(__name__)


def owners(partitions: Iterable[str], members: Iterable[str]) -> dict[str, str]:
    """The member that owns each partition, by rendezvous hash; nobody has two more than another."""
    owned: dict[str, int] = dict.fromkeys(members, 0)
    found = {}
    for partition in partitions:
        least = min(owned.values())
        free = [member for member, count in owned.items() if count == least]
        found[partition] = max(free, key=lambda member: _weight(member, partition))
        owned[found[partition]] += 1
    return found


def _weight(member: str, partition: str) -> bytes:
    return hashlib.blake2b(f"{member}/{partition}".encode()).digest()


class Members:
    """Shows that this member lives and sees who else does."""

    def __init__(self, connection: Connection, names: Names, member: str, *, owns: bool) -> None:
        """`owns`: this member takes partitions."""
        self._connection = connection
        self._names = names
        self._member = member
        self._owns = owns
        self._changed = asyncio.Event()
        self.living: frozenset[str] = frozenset()
        """Those that take partitions."""
        self.all: frozenset[str] = frozenset()
        self._subject = names.member("owns" if owns else "asks", member)

    async def run(self) -> None:
        """Show that this member lives, for ever."""
        while True:
            try:
                await self._beat()
            except (JournalError, APIError) as error:  # whoever owns what is as it was until there is an answer
                log.debug("no sign of life could be given", extra={"error": str(error)})
            await asyncio.sleep(BEAT)

    async def _beat(self) -> None:
        await self._connection.publish(self._subject, b"", {MSG_ID: secrets.token_hex(8)})
        info = await found(self._connection, self._names.members, self._names.member("*", "*"))
        subjects = [one.split(".") for one in ((info and info.state.subjects) or {})]
        self.all = frozenset(one[-1] for one in subjects)
        seen = frozenset(one[-1] for one in subjects if one[-2] == "owns")
        living = seen | {self._member} if self._owns else seen
        if living != self.living:
            self.living = living
            self._changed.set()

    async def leave(self) -> None:
        """Say that this member is gone, so that others need not wait for that."""
        try:
            await self._connection.js.purge_stream(self._names.members, subject=self._subject)
        except Exception as error:  # noqa: BLE001  they see it after a while, whatever failed here
            log.debug("the others learn later that this member is gone", extra={"error": str(error)})

    def owned(self, partitions: Iterable[str]) -> frozenset[str]:
        """Those of some partitions that this member owns now."""
        if not self._owns or not self.living:
            return frozenset()
        return frozenset(one for one, owner in owners(partitions, sorted(self.living)).items() if owner == self._member)

    async def changes(self, partitions: Iterable[str]) -> AsyncIterator[frozenset[str]]:
        """What this member owns: once it is known, and again whenever that changes."""
        names = list(partitions)
        owned: frozenset[str] | None = None
        while True:
            self._changed.clear()
            now = self.owned(names)
            if now != owned:
                owned = now
                yield now
            await self._changed.wait()
