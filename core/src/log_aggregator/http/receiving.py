"""The part of an HTTP receiver that all protocols share; a plugin reads the body and forms the answer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aiohttp import web

from log_aggregator.errors import OverloadedError, Reject
from log_aggregator.http.access.auth import KEY
from log_aggregator.http.decoding.compression import INLINE
from log_aggregator.http.decoding.decode import Decoded
from log_aggregator.http.decoding.document import NotJsonError, read_json
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.request_limits import REQUEST_LIMITS, SNIFF, RequestLimits
from log_aggregator.http.responses import rejected_members
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.fields.limits import VALUES_PER_RECORD, TooManyError
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.model.receipt import AutomaticKey
from log_aggregator.model.record import Record
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

if TYPE_CHECKING:
    from log_aggregator.hookspecs import Service

__all__ = ["SNIFF", "BadLogError", "HttpProtocol", "HttpReceiver", "Problem", "SentBody", "Taken", "busy"]

SLICE = 0.01
"""Seconds for which a body is read before others have their turn."""

LOOK_EVERY = 32
"""Logs between two looks at the clock."""

REASONS = 5
"""Reasons that `/stats` shows, the latest."""

_log = logging.getLogger(__name__)


class SentBody:
    """One request whose body is there, decompressed and within the limits.

    `notes` is what `read` leaves for `answer`; `received` (microseconds) is a time for logs without one. `read` sets
    `all_timed` to `False` when a log has neither a time nor an id of its own: the same bytes may then be sent twice
    with good reason, so both are counted.
    """

    __slots__ = ("_limits", "all_timed", "body", "notes", "received", "request")

    def __init__(self, request: web.Request, body: bytes, limits: RequestLimits) -> None:
        self.request = request
        self.body = body
        self.notes: list[Any] = []
        self.all_timed = True
        self.received = time.time_ns() // 1000
        self._limits = limits

    def noted(self, record: Record, *, has_id: bool = False) -> Record:
        """The record, having looked whether it has a time of its own, for records that were made with `received`."""
        if record.timestamp == self.received and not has_id:
            self.all_timed = False
        return record

    def json(self) -> Any:
        """The body as one JSON document. Raises `Problem`: 400 not JSON, 413 more values than a batch may hold."""
        self.check_values()
        try:
            return read_json(self.body)
        except NotJsonError as error:
            raise Problem(400, f"the body is not JSON: {error}") from None

    def lines(self) -> Iterator[bytes]:
        """The lines of the body that are not empty."""
        body, begin = self.body, 0
        while begin < len(body):
            end = body.find(b"\n", begin)
            end = len(body) if end < 0 else end
            line = body[begin:end]
            if line.strip():
                yield line
            begin = end + 1

    def check_values(self) -> None:
        """Refuse a JSON body whose many small values would take far more memory than its bytes. Raises `Problem`."""
        raw, most = self.body, VALUES_PER_RECORD * self._limits.records
        if len(raw) > most and raw.count(b",") + raw.count(b"{") + raw.count(b"[") > most:
            raise Problem(413, f"more than {most} values in one body: send smaller batches")

    def check_count(self, logs: int) -> None:
        """Refuse a body of more logs than a batch may have. Raises `Problem` 413."""
        if logs > self._limits.records:
            raise Problem(413, str(TooManyError(logs, self._limits.records)))


class Taken(NamedTuple):
    """What became of a request's logs: `rejected` holds indexes of what `read` yielded, with reasons."""

    accepted: int
    rejected: list[tuple[int, str]]
    duplicate: bool


Log = Record | BadLogError
"""What `read` yields for each log of a body: its record, or why there is none."""


@dataclass(frozen=True)
class HttpProtocol:
    """How one protocol is spoken.

    `read` yields a log after the other, or raises `Problem` when the body as a whole cannot be read. `answer` and
    `refuse` make the responses to what was taken and to what was not. `unpack`, for bodies that are compressed in
    the protocol's own way, is given the body and the most bytes that it may become; it may run in a thread.
    """

    read: Callable[[SentBody], Iterable[Log]]
    answer: Callable[[SentBody, Taken], web.Response]
    refuse: Callable[[web.Request, Problem], web.Response] = lambda _, problem: problem.response()
    encoding: Callable[[web.Request], str | None] = lambda _: None
    unpack: Callable[[web.Request, bytes, int], bytes] | None = None


class HttpReceiver:
    """Takes in what comes to the routes of one plugin, as `POST /ingest/batch` does.

    Bodies are received and decompressed within the service's limits. Keys with sources, rates and `on_ingest` hold.
    A log that is bad costs itself. Where all logs have their own times, the same bytes again, from the same sender
    to the same path within ten minutes, are a duplicate. With `?debug=1` the records are shown and not stored.
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
            if request.query.get("debug") == "1":
                return _shown(decoded)
            taken = await self.take(sent, decoded)
        except Problem as problem:
            self._refused += 1
            self._reasons.append(f"{problem.status}: {problem.detail}")
            answer = protocol.refuse(request, problem)
            for name, value in problem.headers.items():
                answer.headers.setdefault(name, value)
            if problem.close:
                answer.force_close()
            return answer
        return protocol.answer(sent, taken)

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

    async def take(self, sent: SentBody, decoded: Decoded) -> Taken:
        """Take in what was read. Raises `Problem` when nothing was taken: 403, 422, 429 or 503."""
        request, limits = sent.request, sent.request.app[REQUEST_LIMITS]
        if decoded.records:
            decoded = limits.quota.passing(request, decoded)
        self._note(decoded.rejected)
        if not decoded.records:
            return Taken(0, decoded.rejected, duplicate=False)
        api_key = request.get(KEY)
        sender = f"{api_key.hash if api_key else ''} {limits.quota.client_of(request)}"
        key = AutomaticKey(sender, request.path_qs, sent.body) if sent.all_timed else None
        try:
            receipt = await self._service.ingest(decoded.records, key=key)
        except OverloadedError as error:
            raise busy(503, str(error), error.retry_after) from None
        except Reject as error:
            raise Problem(422, error.reason) from None
        places = decoded.positions
        refused = receipt.rejected if places is None else [(places[one], why) for one, why in receipt.rejected]
        self._note(refused)
        self._duplicates += receipt.accepted if receipt.duplicate else 0
        self._accepted += 0 if receipt.duplicate else receipt.accepted
        return Taken(receipt.accepted, sorted(decoded.rejected + refused), receipt.duplicate)

    def _note(self, rejected: list[tuple[int, str]]) -> None:
        self._rejected += len(rejected)
        self._reasons.extend(reason for _, reason in rejected[-REASONS:])


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


def _shown(decoded: Decoded) -> web.Response:
    """The answer to `?debug=1`."""
    records = [
        {
            "message": record.message,
            "level": record.level,
            "source": record.source,
            "timestamp": to_iso(record.timestamp),
            "metadata": record.metadata,
        }
        for record in decoded.records
    ]
    document = {"stored": False, "records": records, **rejected_members(decoded.rejected)}
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")
