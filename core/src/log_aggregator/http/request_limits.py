"""The limits that all calls which take logs in share: sizes, memory and rates."""

from __future__ import annotations

from aiohttp import hdrs, web

from log_aggregator.config.limits import limits_of
from log_aggregator.config.settings import Settings
from log_aggregator.http.access.quota import Quota
from log_aggregator.http.decoding.body import BodyReader
from log_aggregator.http.decoding.compression import Decompressor, recognised

SNIFF = "sniff"
"""In place of a content encoding: the first bytes of the body say what it is, whatever the header says."""


class RequestLimits:
    """The limits of one application. `records` is the most logs of one request."""

    def __init__(self, settings: Settings, quota: Quota) -> None:
        self.reader = BodyReader(settings)
        self.decompressor = Decompressor(settings, self.reader.room)
        self.quota = quota
        self.records = limits_of(settings).records
        self.decompressed_bytes = settings.max_decompressed_bytes

    async def body(self, request: web.Request, *, encoding: str | None = None) -> bytes:
        """The body, received and decompressed.

        `encoding` in place of the header; `SNIFF` looks at the body. Raises `Problem`: 400 broken, 408 too slow, 413
        too large, 415 unknown encoding, 429 over the client's rate, 503 no room.
        """
        self.quota.check_client(request)
        raw = self.reader.read_nowait(request)
        if raw is None:
            raw = await self.reader.read(request)
        if encoding is None:
            encoding = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, ()))
        elif encoding == SNIFF:
            encoding = recognised(raw)
        return await self.decompressor.decompress(raw, encoding) if encoding else raw


REQUEST_LIMITS: web.AppKey[RequestLimits] = web.AppKey("REQUEST_LIMITS", RequestLimits)
