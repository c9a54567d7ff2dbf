"""The two calls that take logs in: from a request to the backend and back to an answer."""

from __future__ import annotations

import time
from hashlib import blake2b

from aiohttp import hdrs, web

from log_aggregator.config.limits import limits_of
from log_aggregator.errors import KeyReusedError, OverloadedError, Reject, TooManyLogsError
from log_aggregator.http.access.auth import KEY, Guard, needs
from log_aggregator.http.backend import Backend
from log_aggregator.http.decoding.decode import BodyDecoder, Decoded
from log_aggregator.http.decoding.media import ContentTypes, Media
from log_aggregator.http.parameters import IngestParameters, parameters
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.request_limits import RequestLimits
from log_aggregator.http.responses import BatchAnswers, batch_answer, nothing_good, one_answer, shown, with_status
from log_aggregator.journal import client_key
from log_aggregator.model.fields.construct import field_table
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY_LENGTH = 255


class Ingest:
    """The handlers of `POST /ingest` and `POST /ingest/batch`."""

    def __init__(self, backend: Backend, guard: Guard, limits: RequestLimits) -> None:
        self._guard = guard
        self._submit = backend.submit
        self._reader = limits.reader
        self._decompressor = limits.decompressor
        self._decoder = BodyDecoder(limits_of(backend.settings), field_table())
        self._types = ContentTypes()
        self._quota = limits.quota
        self._answers = BatchAnswers()

    @needs("ingest")
    async def one(self, request: web.Request) -> web.StreamResponse:
        """`POST /ingest`: one log; several are taken as by `/ingest/batch`."""
        headers = request.headers
        media = self._types.check(headers.get(hdrs.CONTENT_TYPE))
        asked = _asked(request)
        raw = await self._body(request, media)
        now = time.time_ns() // 1000
        record = self._decoder.one(raw, now)
        if record is None:
            return await self._several(request, raw, self._decoder.many(raw, False, now, is_json=media.is_json), asked)
        records = [record]
        if asked.debug:
            return shown(Decoded(records, [], None))
        if self._quota.is_limited and not self._quota.passing(request, Decoded(records, [], None)).records:
            raise Problem(422, "this log may not pass")
        receipt = await self._accept(request, records, raw)
        return with_status(one_answer(request, receipt), asked.status)

    @needs("ingest")
    async def batch(self, request: web.Request) -> web.StreamResponse:
        """`POST /ingest/batch`: several logs as JSON, NDJSON or lines of text."""
        media = self._types.check(request.headers.get(hdrs.CONTENT_TYPE))
        asked = _asked(request)
        raw = await self._body(request, media)
        decoded = self._decoder.many(raw, media.is_lines, time.time_ns() // 1000, is_json=media.is_json)
        return await self._several(request, raw, decoded, asked)

    async def _several(
        self, request: web.Request, raw: bytes, decoded: Decoded, asked: IngestParameters
    ) -> web.StreamResponse:
        if asked.debug:
            return shown(decoded)
        if not decoded.records:
            raise nothing_good(decoded.rejected) if decoded.rejected else Problem(422, "the batch holds no logs")
        records, rejected, positions = self._quota.passing(request, decoded)
        receipt = await self._accept(request, records, raw)
        refused = receipt.rejected
        if positions is not None:
            refused = rejected + [(positions[index], reason) for index, reason in refused]
        return with_status(batch_answer(request, receipt, refused, self._answers), asked.status)

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """`Expect: 100-continue`: refuse by the announced length before a byte of the body is sent."""
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            return Problem(417, "Expect: only 100-continue is understood", close=True).response()
        try:
            self._guard.check(request, self.one)
            self._quota.check_client(request)
            self._reader.check_length(request)
        except Problem as problem:
            return problem.response()
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # what was sent is no part of the answer
        return None

    async def _body(self, request: web.Request, media: Media) -> bytes:
        self._quota.check_client(request)
        raw = self._reader.read_nowait(request)
        if raw is None:
            raw = await self._reader.read(request)
        encodings = request.headers.getall(hdrs.CONTENT_ENCODING, ())
        if encodings:
            raw = await self._decompressor.decompress(raw, ",".join(encodings))
        return media.text(raw)

    async def _accept(self, request: web.Request, records: list[Record], raw: bytes) -> Receipt:
        key = request.headers.get(IDEMPOTENCY_KEY)
        digest = b""
        if key is not None:
            if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
                raise Problem(400, f"{IDEMPOTENCY_KEY}: expected 1 to {MAX_KEY_LENGTH} printable ASCII characters")
            digest = blake2b(raw, digest_size=16).digest()
            sender = request.get(KEY)
            key = client_key(sender.hash if sender is not None else "", request.path, key)
        try:
            return await self._submit(records, key=key, digest=digest, size=len(raw))
        except OverloadedError as error:
            raise busy(503, str(error), error.retry_after) from None
        except TooManyLogsError as error:
            raise Problem(413, error.reason) from None
        except Reject as error:
            raise Problem(422, error.reason) from None
        except KeyReusedError:
            raise Problem(
                422, f"{IDEMPOTENCY_KEY}: used before with another body; use a new key for new logs"
            ) from None


_NOTHING_ASKED = IngestParameters()


def _asked(request: web.Request) -> IngestParameters:
    """What the client asks for beside its logs; most ask nothing. Raises `Problem` 422."""
    return parameters(request, IngestParameters) if request.query_string else _NOTHING_ASKED
