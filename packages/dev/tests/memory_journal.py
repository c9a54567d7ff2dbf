"""A journal without SQLite, file or thread: it shows that the service asks nothing beside the protocol.

What it keeps lies in `KEPT` under a name, and outlives the journal that is closed.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from log_aggregator import ConfigError, Record
from log_aggregator.journals import (
    START,
    Appended,
    Entry,
    Identity,
    JournalError,
    JournalPlace,
    KeyReusedError,
    LaneState,
    ReaderPosition,
    ReaderPositions,
    Stand,
    SupersededError,
    Waiting,
    decode_flush,
    decode_row,
    encode_flush,
)
from log_aggregator.sinks import Flush


class Kept:
    """What a journal holds."""

    def __init__(self) -> None:
        self.rows: dict[int, bytes] = {}
        self.newest = self.upto = self.sequence = 0
        self.keys: dict[str, tuple[bytes, int]] = {}
        self.positions: dict[tuple[str, str], bytes] = {}
        self.outbox: dict[int, bytes] = {}
        self.lanes: dict[str, LaneState] = {}
        self.states: dict[tuple[str, str], bytes] = {}


KEPT: dict[str, Kept] = {}


class MemoryPlugin:
    """What the entry point names."""

    class Config(BaseModel):
        """`name` is that of the journal."""

        model_config = ConfigDict(extra="forbid")
        name: str

    opened: ClassVar[list[JournalPlace]] = []

    def __init__(self, config: Config) -> None:
        self._name = config.name

    async def check(self) -> list[str]:
        if self._name == "wrong":
            raise ConfigError("name: 'wrong': expected another")
        return [f"keeps nothing: {self._name}"]

    @asynccontextmanager
    async def open(self, place: JournalPlace) -> AsyncIterator[MemoryJournal]:
        if self._name == "wrong":
            raise ConfigError("name: 'wrong': expected another")
        if self._name == "broken":
            raise OSError("a secret")
        self.opened.append(place)
        yield MemoryJournal(KEPT.setdefault(self._name, Kept()))


class MemoryJournal:
    """Implements `Journal` and `Partition`."""

    damage = problem = failure = ""
    commit_seconds = 0.0
    identity = Identity("memory", 1)

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.commits = 0
        self.partition = self
        self.positions = ReaderPositions(ReaderPosition(*key, value) for key, value in kept.positions.items())

    def append(self, entries: list[Entry]) -> asyncio.Future[list[Appended | KeyReusedError]]:
        done: asyncio.Future[list[Appended | KeyReusedError]] = asyncio.get_running_loop().create_future()
        self.commits += 1
        done.set_result([self._append(entry) for entry in entries])
        return done

    def _append(self, entry: Entry) -> Appended | KeyReusedError:
        kept, known = self._kept, self._kept.keys.get(entry.key or "")
        if known is not None and known[0] != entry.digest:
            return KeyReusedError("this key came with another body")
        if entry.position is not None:
            kept.positions[entry.position[:2]] = entry.position.value
        if known is not None:
            return Appended(0, known[1], duplicate=True)
        if entry.key is not None:
            kept.keys[entry.key] = (entry.digest, entry.accepted)
        if entry.payload is None:
            return Appended(0, entry.accepted)
        kept.newest += 1
        kept.rows[kept.newest] = entry.payload
        return Appended(kept.newest, entry.accepted)

    async def probe(self) -> None:
        self.commits += 1

    async def used_bytes(self) -> int:
        return sum(map(len, [*self._kept.rows.values(), *self._kept.outbox.values()]))

    async def load_state(self, plugin: str, name: str) -> bytes | None:
        return self._kept.states.get((plugin, name))

    async def save_state(self, plugin: str, name: str, value: bytes) -> None:
        self._kept.states[plugin, name] = value

    async def stand(self) -> Stand:
        return Stand(self._kept.sequence, self._kept.upto)

    async def read(self, after: int, most: int) -> list[tuple[int, list[Record]]]:
        wanted = range(after + 1, min(after + most, self._kept.newest) + 1)
        lost = [position for position in wanted if position not in self._kept.rows and position > self._kept.upto]
        if lost:
            raise JournalError(f"the rows {lost} are lost")
        return [(one, decode_row(self._kept.rows[one])) for one in wanted if one > self._kept.upto]

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        kept, payload = self._kept, encode_flush(flush)
        if flush.position.sequence != kept.sequence + 1:
            raise SupersededError(f"flush {flush.position.sequence} follows {kept.sequence}")
        kept.sequence, kept.upto = flush.position.sequence, max(kept.upto, watermark)
        kept.rows = {position: row for position, row in kept.rows.items() if position > watermark}
        if keep:
            kept.outbox[kept.sequence] = payload

    async def open_lane(self, name: str) -> LaneState:
        return self._kept.lanes.setdefault(name, LaneState(self._kept.sequence, START, 0))

    async def after(self, cursor: int) -> Flush | None:
        found = min((sequence for sequence in self._kept.outbox if sequence > cursor), default=None)
        return None if found is None else decode_flush(self._kept.outbox[found])

    async def advance(self, name: str, state: LaneState, lanes: list[str]) -> None:
        kept = self._kept
        kept.lanes[name] = state
        done = min(kept.lanes[one].cursor for one in lanes)
        kept.outbox = {sequence: flush for sequence, flush in kept.outbox.items() if sequence > done}

    async def waiting(self, cursor: int) -> Waiting:
        left = [decode_flush(flush) for sequence, flush in self._kept.outbox.items() if sequence > cursor]
        groups = sum(len(flush.aggregates) for flush in left)
        oldest = min((flush.opened for flush in left), default=None)
        return Waiting(len(left), groups, sum(flush.logs for flush in left), oldest)

    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        return 0


def crashed(name: str) -> str:
    """Another name, under which is what was kept at this moment."""
    KEPT[f"{name}-after"] = copy.deepcopy(KEPT[name])
    return f"{name}-after"
