"""Asks the other workers, over Unix sockets that only this user can reach."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from log_aggregator.config.place import Place
from log_aggregator.errors import OverloadedError, PermanentError, RetryableError
from log_aggregator.http.backend import HealthReport
from log_aggregator.journal import encode_flush
from log_aggregator.model.aggregate import Flush
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.service.workers.forwarded import FORWARDED
from log_aggregator.service.workers.wire import ERRORS, encode_aggregates_request, encode_request

ASK_TIMEOUT = 5.0
"""Seconds that a worker has to answer a question about itself."""


FORWARD_TIMEOUT = 60.0
"""Seconds that the first worker has for a forwarded call: it may wait for services outside."""


class Peers:
    """The other workers. One that is being replaced does not answer and is left out."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Peers]:
        """Hold the connections until the end of the block."""
        for number in self._place.others():
            connector = aiohttp.UnixConnector(path=self._place.socket_of(number))
            self._sessions[number] = aiohttp.ClientSession("http://worker", connector=connector)
        try:
            yield self
        finally:
            for session in self._sessions.values():
                await session.close()

    async def stats(self) -> list[dict[str, Any]]:
        """`GET /stats` of every other worker."""
        return await self._all("GET", "/stats", ASK_TIMEOUT)

    async def health(self) -> list[HealthReport]:
        """`GET /health` of every other worker; one that does not answer is degraded."""
        answers = await self._all("GET", "/health", ASK_TIMEOUT)
        reports = [HealthReport(*answer) for answer in answers]
        missing = len(self._sessions) - len(reports)
        if missing:
            detail = f"{missing} of {self._place.total} workers do not answer"
            reports.append(HealthReport("degraded", True, {"workers": {"ok": False, "detail": detail}}))
        return reports

    async def flush(self, deadline: float) -> list[dict[str, Any]]:
        """`POST /flush` of every other worker."""
        return await self._all("POST", f"/flush?deadline={deadline}", 2 * deadline + ASK_TIMEOUT)

    async def deliver(self, name: str, flush: Flush) -> None:
        """Deliver a flush to the sink `name` of the first worker. Raises `PermanentError` and `RetryableError`."""
        timeout = aiohttp.ClientTimeout(total=None)  # the lane has a deadline around this
        try:
            body = await asyncio.to_thread(encode_flush, flush)  # a large one takes a tenth of a second
            async with self._sessions[0].post(f"/flushes/{name}", data=body, timeout=timeout) as answer:
                text = await answer.text()
        except aiohttp.ClientError as error:
            raise RetryableError(f"the first worker does not answer: {type(error).__name__}") from error
        if answer.status == 422:
            raise PermanentError(text)
        if answer.status != 204:
            raise RetryableError(text)

    async def ask_first(self, query: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Forward a call to the first worker: status, content type and body of its answer. Raises `RetryableError`."""
        timeout = aiohttp.ClientTimeout(total=FORWARD_TIMEOUT)
        url = f"{FORWARDED}?{query}" if query else FORWARDED
        try:
            async with self._sessions[0].post(url, data=body, headers=headers, timeout=timeout) as answer:
                content_type = answer.headers.get("Content-Type", "application/octet-stream")
                return answer.status, content_type, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RetryableError("the worker that knows this does not answer; try again") from error

    def owner_of(self, key: str) -> int:
        """The worker that keeps an Idempotency-Key: a retry may arrive at any of them."""
        return zlib.crc32(key.encode("utf-8", "surrogatepass")) % self._place.total

    async def submit(self, owner: int, records: list[Record], key: str, digest: bytes) -> Receipt:
        """Submit a request to the owner of its key. Raises what `Ingester.submit` raises."""
        body = encode_request(records, key, digest)
        try:
            async with self._sessions[owner].post("/submit", data=body) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OverloadedError("the worker that knows this Idempotency-Key is being replaced") from error
        if answer.status == 200:
            return msgspec.json.decode(content, type=Receipt)
        raise ERRORS.get(answer.status, OverloadedError)(content.decode())

    async def submit_aggregates(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        """Submit aggregates to the first worker. Raises what `AggregateIngester.submit` raises."""
        body = encode_aggregates_request(plugin, sent, link)
        try:
            async with self._sessions[0].post("/submit-aggregates", data=body) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OverloadedError("the worker that takes aggregates is being replaced") from error
        if answer.status == 200:
            return msgspec.json.decode(content, type=Receipt)
        raise ERRORS.get(answer.status, OverloadedError)(content.decode())

    async def _all(self, method: str, path: str, timeout: float) -> list[Any]:  # noqa: ASYNC109  passed to the client
        answers = await asyncio.gather(*(self._ask(s, method, path, timeout) for s in self._sessions.values()))
        return [answer for answer in answers if answer is not None]

    async def _ask(self, session: aiohttp.ClientSession, method: str, path: str, timeout: float) -> Any:  # noqa: ASYNC109  passed to the client
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with session.request(method, path, timeout=limit) as answer:
                return msgspec.json.decode(await answer.read()) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            return None
