"""The plugin: `POST /upload`, and how an upload that is sent again is counted once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Record, Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, Decoded, HttpReceiver, Problem, is_debug, shown
from log_aggregator.receivers import BadLogError
from log_aggregator_journald.export import Entry, ExportError, ExportReader
from log_aggregator_journald.records import place_of, record_of

ENTRIES = 500
"""Entries that are taken in together."""

MOST_JOURNALS = 1000
"""Journals whose positions are kept."""


class JournaldConfig(BaseModel):
    """Options of the journald receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        "/upload", min_length=1, pattern=ROUTE_PREFIX, description="path that takes uploads; clients append /upload"
    )


class _Part:
    """Entries of one journal that are taken in together: each one's number, and its record or why there is none."""

    def __init__(self, journal: str) -> None:
        self.journal = journal
        self.entries: list[tuple[int, Record | BadLogError]] = []

    def add(self, entry: Entry, number: int) -> None:
        """Read an entry."""
        try:
            self.entries.append((number, record_of(entry)))
        except BadLogError as error:
            self.entries.append((number, error))

    def after(self, reached: int) -> list[tuple[int, Record | BadLogError]]:
        """The entries beyond a number, each once: they come in order."""
        kept = []
        for number, log in self.entries:
            if number > reached:
                kept.append((number, log))
                reached = number
        return kept


def _decoded(entries: list[tuple[int, Record | BadLogError]]) -> Decoded:
    rejected = [(at, str(log)) for at, (_, log) in enumerate(entries) if isinstance(log, BadLogError)]
    positions = [at for at, (_, log) in enumerate(entries) if isinstance(log, Record)]
    return Decoded([log for _, log in entries if isinstance(log, Record)], rejected, positions if rejected else None)


class JournaldReceiver:
    """Receives journals. An upload may be of any length; it is taken in as it comes.

    A client that saw no answer begins again at its last cursor. With one worker the place in each journal is written
    in the transaction that writes the logs, and what lies before it is passed over.
    """

    Config = JournaldConfig
    api = ">=1,<2"

    def __init__(self, config: JournaldConfig) -> None:
        self._config = config
        self._turns: dict[str, asyncio.Lock] = {}
        self._service: Service
        self._receiver: HttpReceiver

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route."""
        self._service, self._receiver = service, HttpReceiver(service)
        for method in ("POST", "PUT"):
            service.add_route(method, self._config.path, self._upload, "ingest")
        service.add_stats("journald", self._receiver.stats)
        yield

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        kind = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
        try:
            if kind not in ("application/vnd.fdo.journal", "application/octet-stream", ""):
                raise Problem(415, "Content-Type: expected application/vnd.fdo.journal", close=True)
            return await self._received(request)
        except ExportError as error:
            return self._receiver.refused(request, Problem(400, f"not a journal: {error}", close=True), _refuse)
        except Problem as problem:
            problem.close = True  # the rest of the body was not read
            return self._receiver.refused(request, problem, _refuse)

    async def _received(self, request: web.Request) -> web.StreamResponse:
        reader, part = ExportReader(), _Part("")
        async for piece in self._receiver.pieces(request):
            for entry in reader.feed(piece):
                part = await self._add(request, part, entry)
        for entry in reader.end():
            part = await self._add(request, part, entry)
        if is_debug(request):
            return shown(_decoded(part.entries))
        await self._take(request, part)
        return web.Response(text="OK.\n", status=202)

    async def _add(self, request: web.Request, part: _Part, entry: Entry) -> _Part:
        place = place_of(entry)
        journal = place.journal if place else ""
        if len(part.entries) >= ENTRIES or (part.entries and journal != part.journal):
            if is_debug(request):
                return part
            await self._take(request, part)
            part = _Part(journal)
        part.journal = journal
        part.add(entry, place.number if place else 0)
        return part

    async def _take(self, request: web.Request, part: _Part) -> None:
        if not part.entries:
            return
        name = self._name(request, part.journal)
        if not part.journal:
            await self._receiver.take(request, _decoded(part.entries))
        elif self._is_alone and (turn := self._turn(name)):
            async with turn:
                await self._take_beyond(request, part, name)
        else:
            key = f"{name} {part.entries[0][0]} {part.entries[-1][0]}"
            await self._receiver.take(request, _decoded(part.after(-1)), key=key)

    async def _take_beyond(self, request: web.Request, part: _Part, name: str) -> None:
        """Take in the entries that were not taken in before, and with them the place that is reached."""
        fresh = part.after(int(self._service.position(name) or b"-1"))
        self._receiver.note_duplicates(len(part.entries) - len(fresh))
        if fresh:
            await self._receiver.take(request, _decoded(fresh), position=(name, b"%d" % fresh[-1][0]))

    @property
    def _is_alone(self) -> bool:
        """Whether this is the only worker. A position belongs to one; a client may come to another next time."""
        return self._service.shared_dir == self._service.data_dir

    def _turn(self, name: str) -> asyncio.Lock | None:
        """The lock of a journal: two uploads of it never look at its place at the same time. `None` for too many."""
        if name not in self._turns and len(self._turns) < MOST_JOURNALS:
            self._turns[name] = asyncio.Lock()
        return self._turns.get(name)

    def _name(self, request: web.Request, journal: str) -> str:
        """The name of a journal's position. It depends on the API key: a sender cannot move another's."""
        sender = request.headers.get(hdrs.AUTHORIZATION, "") or request.headers.get("X-API-Key", "")
        return f"{hashlib.blake2b(sender.encode('utf-8', 'replace'), digest_size=8).hexdigest()} {journal}"


def _refuse(_: web.Request, problem: Problem) -> web.Response:
    return web.Response(text=problem.detail + "\n", status=problem.status)
