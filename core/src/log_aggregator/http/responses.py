"""What an ingest call is answered, as bytes: the common answers are made once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import msgspec
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from log_aggregator.http.decoding.decode import Decoded
from log_aggregator.http.problem import Problem
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.model.receipt import Receipt

MAX_REJECTED_SHOWN = 1000
"""Rejected logs that an answer names; `rejected_count` tells of all when there are more."""

SERVER = "log-aggregator"
"""The Server header: versions are nobody's business."""

_HEADERS = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nServer: log-aggregator\r\n"
_STAYS, _CLOSES, _STAYS_OLD = b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"
_FULL = 64 * 1024
_encode = msgspec.json.encode


class Accepted(web.StreamResponse):
    """A 202 with a JSON body, written as it stands, without building headers that are always the same.

    It holds nothing of the request that it answers, so one may answer many. `connection` is its Connection header.
    """

    def __init__(self, body: bytes, connection: bytes) -> None:
        super().__init__(status=202)
        self.content = body
        self._keep_alive = connection is not _CLOSES
        self._rest = b"%bContent-Length: %d\r\n\r\n%b" % (connection, len(body), body)
        self._whole = b""
        self._second = 0
        self._body = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the whole answer."""
        transport = request.transport
        if transport is None:
            return None
        now = int(time.time())
        if now != self._second:
            self._second, self._whole = now, _start(now) + self._rest
        transport.write(self._whole)
        if transport.get_write_buffer_size() > _FULL:  # a client that sends and never reads must wait
            await request.writer.drain()
        return None

    def with_headers(self, headers: Mapping[str, str]) -> web.Response:
        """The same answer with more headers."""
        return web.Response(status=202, body=self._body, content_type="application/json", headers=headers)

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


def with_status(answer: Accepted, status: int | None) -> web.StreamResponse:
    """The answer with the status that the client asked for: some take every status but 200 for an error."""
    if status in (None, 202):
        return answer
    return web.Response(body=answer.content, status=status or 202, content_type="application/json")


def _connection(request: web.BaseRequest) -> bytes:
    """The Connection header that an answer to this request has."""
    if not request.keep_alive:
        return _CLOSES
    return _STAYS if request.version >= HttpVersion11 else _STAYS_OLD


@lru_cache(maxsize=1)
def _start(now: int) -> bytes:
    return b"%bDate: %b\r\n" % (_HEADERS, formatdate(now, usegmt=True).encode())


class BatchAnswers(dict[tuple[int, bytes], Accepted]):
    """The answer `all n taken` for every n and Connection header in use."""

    def __missing__(self, what: tuple[int, bytes]) -> Accepted:
        if len(self) >= 1000:
            self.clear()
        accepted, connection = what
        answer = self[what] = Accepted(b'{"accepted":%d,"rejected":[]}' % accepted, connection)
        return answer


_ONE = {
    durable: {connection: Accepted(body, connection) for connection in (_STAYS, _CLOSES, _STAYS_OLD)}
    for durable, body in ((True, b'{"accepted":1}'), (False, b'{"accepted":1,"durable":false}'))
}
"""The answers to a single log that was taken: by whether it is durable, and the Connection header."""


def one_answer(request: web.BaseRequest, receipt: Receipt) -> Accepted:
    """The answer to a single log. Raises `Problem` 422 when an `on_ingest` stage refused it."""
    if receipt.accepted == 1 and not receipt.duplicate:
        return _ONE[receipt.durable][_connection(request)]
    if receipt.rejected:
        raise Problem(422, receipt.rejected[0][1])
    return Accepted(_encode({"accepted": receipt.accepted} | _remarks(receipt)), _connection(request))


def batch_answer(
    request: web.BaseRequest, receipt: Receipt, rejected: list[tuple[int, str]], answers: BatchAnswers
) -> Accepted:
    """The answer to a batch; `rejected` holds all rejected logs by their index in the body.

    Raises `Problem` 422 when nothing was good.
    """
    if not rejected and receipt.durable and not receipt.duplicate:
        return answers[receipt.accepted, _connection(request)]
    if rejected and not receipt.accepted:
        raise nothing_good(rejected)
    answer = {"accepted": receipt.accepted, **rejected_members(rejected), **_remarks(receipt)}
    return Accepted(_encode(answer), _connection(request))


def nothing_good(rejected: list[tuple[int, str]]) -> Problem:
    """A batch of which no log could be taken."""
    index, error = min(rejected)
    detail = f"none of the {len(rejected)} logs could be taken; the first ({index}): {error}"
    return Problem(422, detail, **rejected_members(rejected))


def rejected_members(rejected: list[tuple[int, str]]) -> dict[str, Any]:
    """The members of an answer that name the rejected logs, by index."""
    shown = [{"index": index, "error": error} for index, error in sorted(rejected)[:MAX_REJECTED_SHOWN]]
    if len(rejected) > len(shown):
        return {"rejected": shown, "rejected_count": len(rejected)}
    return {"rejected": shown}


def shown(decoded: Decoded) -> web.Response:
    """The answer to `?debug=1`: the records that a body would become."""
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
    return web.Response(body=_encode(document), content_type="application/json")


def _remarks(receipt: Receipt) -> dict[str, bool]:
    remarks = {}
    if receipt.duplicate:
        remarks["duplicate"] = True
    if not receipt.durable:
        remarks["durable"] = False
    return remarks
