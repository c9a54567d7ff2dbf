"""The part of an HTTP receiver that all protocols share; a plugin reads the body and forms the answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import hdrs, web

from log_aggregator.errors import OverloadedError, Reject, TooManyLogsError
from log_aggregator.http.access.quota import passed
from log_aggregator.http.decoding.compression import INLINE
from log_aggregator.http.decoding.decode import Decoded
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.request_limits import REQUEST_LIMITS, SNIFF
from log_aggregator.http.responses import shown
from log_aggregator.http.sent_body import SentBody
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.fields.limits import TooManyError
from log_aggregator.model.receipt import AutomaticKey
from log_aggregator.model.record import Record
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

if TYPE_CHECKING:
    from log_aggregator.hookspecs import Service

__all__ = [
    "ROUTE_PREFIX",
    "SNIFF",
    "BadLogError",
    "Decoded",
    "HttpProtocol",
    "HttpReceiver",
    "Kept",
    "Problem",
    "SentBody",
    "Taken",
    "busy",
    "is_debug",
    "shown",
]

ROUTE_PREFIX = "^(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?$"
"""What an option for the path before a protocol's own paths must look like: empty, or `/…` without a `/` at its end."""

SLICE = 0.01
"""Seconds for which a body is read before others have their turn."""

LOOK_EVERY = 32
"""Logs between two looks at the clock."""

REASONS = 5
"""Reasons that `/stats` shows, the latest."""

_log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """What became of a request's logs: `rejected` holds indexes of what `read` yielded, with reasons."""

    accepted: int
    rejected: list[tuple[int, str]]
    duplicate: bool


class Kept(NamedTuple):
    """What a receiver keeps with a request: `position` as for `service.ingest`, and what is called in the end.

    `settle` is given what was taken, or `None` when nothing was and the position was not written.
    """

    position: tuple[str, bytes]
    settle: Callable[[Taken | None], None]


Log = Record | BadLogError
"""What `read` yields for each log of a body: its record, or why there is none."""


@dataclass(frozen=True)
class HttpProtocol:
    """How one protocol is spoken.

    `read` yields a log after the other, or raises `Problem` when the body as a whole cannot be read. `answer` and
    `refuse` make the responses to what was taken and to what was not. `unpack`, for bodies that are compressed in
    the protocol's own way, is given the body and the most bytes that it may become; it may run in a thread. `keep`
    says what is written in the transaction of a request's logs, once it is read.
    """

    read: Callable[[SentBody], Iterable[Log]]
    answer: Callable[[SentBody, Taken], web.Response]
    refuse: Callable[[web.Request, Problem], web.Response] = lambda _, problem: problem.response()
    encoding: Callable[[web.Request], str | None] = lambda _: None
    unpack: Callable[[web.Request, bytes, int], bytes] | None = None
    keep: Callable[[SentBody], Kept | None] = lambda _: None


class HttpReceiver:
    """Takes in what comes to the routes of one plugin, as `POST /ingest/batch` does.

    Bodies are received and decompressed within the service's limits. Keys with sources, rates and `on_ingest` hold.
    A log that is bad costs itself. Where all logs have their own times, the same bytes again, from the same sender
    to the same path within ten minutes, are a duplicate; where requests have ids, one with the same id is. With
    `?debug=1` the records are shown and not stored.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._requests = self._accepted = self._rejected = self._duplicates = self._refused = 0
        self._reasons: deque[str] = deque(maxlen=REASONS)

    def add_route(
        self,
        method: str,
        path: str,
        protocol: HttpProtocol,
        *,
        credentials: Callable[[web.Request], str | None] | None = None,
    ) -> None:
        """Serve a route, for API keys with the scope `ingest`. Raises `ConfigError` when the path is taken."""
        self._service.add_route(method, path, self.handler(protocol), "ingest", credentials=credentials)

    def handler(self, protocol: HttpProtocol) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of a route that is added elsewhere."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, protocol)

        return handle

    def stats(self) -> dict[str, Any]:
        """For `service.add_stats`: requests and logs by outcome, and the latest reasons of what was not taken."""
        return {
            "requests": self._requests,
            "accepted": self._accepted,
            "duplicates": self._duplicates,
            "rejected": self._rejected,
            "refused_requests": self._refused,
            "last_reasons": list(self._reasons),
        }

    async def _handle(self, request: web.Request, protocol: HttpProtocol) -> web.StreamResponse:
        self._requests += 1
        try:
            sent, decoded = await self._decoded(request, protocol)
            if is_debug(request):
                return shown(decoded)
            taken = await self._taken(sent, decoded, protocol.keep(sent))
        except Problem as problem:
            return self.refused(request, problem, protocol.refuse)
        return protocol.answer(sent, taken)

    async def _taken(self, sent: SentBody, decoded: Decoded, kept: Kept | None) -> Taken:
        if kept is None:
            return await self.take(sent.request, decoded, key=_key_of(sent))
        taken = None
        try:
            taken = await self.take(sent.request, decoded, key=_key_of(sent), position=kept.position)
        finally:
            kept.settle(taken)
        return taken

    async def pieces(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body of a request as it comes, for protocols whose bodies have no end in sight: any size, but no slower
        than other bodies. Compressed bodies are within the limits of others. Raises `Problem`."""
        self._requests += 1
        limits = request.app[REQUEST_LIMITS]
        if hdrs.CONTENT_ENCODING in request.headers:
            yield await limits.body(request)
            return
        limits.quota.check_client(request)
        async for piece in limits.reader.pieces(request):
            yield piece

    def refused(
        self, request: web.Request, problem: Problem, refuse: Callable[[web.Request, Problem], web.Response]
    ) -> web.Response:
        """The answer to a request that was not taken, as `refuse` words it, with the headers that belong to it."""
        self._refused += 1
        self._reasons.append(f"{problem.status}: {problem.detail}")
        answer = refuse(request, problem)
        for name, value in problem.headers.items():
            answer.headers.setdefault(name, value)
        if problem.close:
            answer.force_close()
        return answer

    async def _decoded(self, request: web.Request, protocol: HttpProtocol) -> tuple[SentBody, Decoded]:
        limits = request.app[REQUEST_LIMITS]
        body = await limits.body(request, encoding=protocol.encoding(request))
        if protocol.unpack is not None:
            most = limits.decompressed_bytes
            unpack = protocol.unpack
            small = len(body) <= INLINE
            body = unpack(request, body, most) if small else await asyncio.to_thread(unpack, request, body, most)
        sent = SentBody(request, body, limits)
        try:
            return sent, await _collected(protocol.read(sent), limits.records)
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001  hostile input found a fault of the reader: refuse it, do not fail
            _log.warning("a body could not be read", extra={"error": where_raised(error, package_of(protocol.read))})
            raise Problem(400, "the body cannot be read") from None

    async def take(
        self,
        request: web.Request,
        decoded: Decoded,
        *,
        key: str | AutomaticKey | None = None,
        position: tuple[str, bytes] | None = None,
    ) -> Taken:
        """Take in what was read of a request. `key` and `position` as for `service.ingest`.

        Raises `Problem` when nothing was taken: 403, 413, 422, 429 or 503.
        """
        if decoded.records:
            decoded = request.app[REQUEST_LIMITS].quota.passing(request, decoded)
        self._note(decoded.rejected)
        if not decoded.records and position is None:
            return Taken(0, decoded.rejected, duplicate=False)
        try:
            with passed():
                receipt = await self._service.ingest(decoded.records, key=key, position=position)
        except OverloadedError as error:
            raise busy(503, str(error), error.retry_after) from None
        except TooManyLogsError as error:
            raise Problem(413, error.reason) from None
        except Reject as error:
            raise Problem(422, error.reason) from None
        places = decoded.positions
        refused = receipt.rejected if places is None else [(places[one], why) for one, why in receipt.rejected]
        self._note(refused)
        self._duplicates += receipt.accepted if receipt.duplicate else 0
        self._accepted += 0 if receipt.duplicate else receipt.accepted
        return Taken(receipt.accepted, sorted(decoded.rejected + refused), receipt.duplicate)

    def note_duplicates(self, logs: int) -> None:
        """Count logs that were known already and not taken again."""
        self._duplicates += logs

    def _note(self, rejected: list[tuple[int, str]]) -> None:
        self._rejected += len(rejected)
        self._reasons.extend(reason for _, reason in rejected[-REASONS:])


def _key_of(sent: SentBody) -> AutomaticKey | None:
    """What a repetition of this request is recognised by; `None` where two equal requests are honest."""
    if sent.request_id:
        return AutomaticKey(sent.sender, sent.request.path_qs, sent.request_id.encode())
    return sent.repetition if sent.all_timed else None


async def _collected(logs: Iterable[Log], most: int) -> Decoded:
    """Read all logs of a body; others have their turn now and then. Raises `Problem` 413 beyond `most`."""
    records: list[Record] = []
    positions: list[int] = []
    rejected: list[tuple[int, str]] = []
    until = time.monotonic() + SLICE
    for index, log in enumerate(logs):
        if type(log) is Record:
            records.append(log)
            positions.append(index)
        else:
            rejected.append((index, str(log)))
        if index % LOOK_EVERY == 0:
            if index >= most:
                raise Problem(413, f"more than {most} logs in one body: send smaller batches")
            if time.monotonic() > until:
                await asyncio.sleep(0)
                until = time.monotonic() + SLICE
    if len(records) + len(rejected) > most:
        raise Problem(413, str(TooManyError(len(records) + len(rejected), most)))
    return Decoded(records, rejected, positions if rejected else None)


def is_debug(request: web.Request) -> bool:
    """Whether the sender only asks what would become of its logs."""
    return request.query.get("debug") == "1"
