"""What workers ask each other, over Unix sockets that only this user can reach."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
from aiohttp import web

from log_aggregator.config.place import Place
from log_aggregator.errors import (
    KeyReusedError,
    LogAggregatorError,
    OverloadedError,
    PermanentError,
    Reject,
    RetryableError,
)
from log_aggregator.http.backend import HealthReport
from log_aggregator.ingest.ingester import Receipt
from log_aggregator.journal.intake import decode, encode
from log_aggregator.model.aggregate import Flush
from log_aggregator.model.record import Record
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

if TYPE_CHECKING:
    from log_aggregator.service.service import Service

ASK_TIMEOUT = 5.0
"""Seconds that a worker has to answer a question about itself."""

_REFUSALS: dict[int, type[LogAggregatorError]] = {409: KeyReusedError, 422: Reject, 503: OverloadedError}
_entry_decoder = msgspec.msgpack.Decoder(tuple[str, bytes, bytes])
_entry_encoder = msgspec.msgpack.Encoder()
_flush_decoder = msgspec.msgpack.Decoder(Flush)
_flush_encoder = msgspec.msgpack.Encoder()


class Peers:
    """Asks the other workers. A worker that is being replaced does not answer and is left out."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sessions: dict[int, aiohttp.ClientSession] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Peers]:
        """Hold the connections while the service runs."""
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
        """Hand a flush to the sink `name` of the first worker. Raises as the sink does."""
        timeout = aiohttp.ClientTimeout(total=None)  # the lane has a deadline around this
        try:
            body = _flush_encoder.encode(flush)
            async with self._sessions[0].post(f"/flushes/{name}", data=body, timeout=timeout) as answer:
                text = await answer.text()
        except aiohttp.ClientError as error:
            raise RetryableError(f"the first worker does not answer: {type(error).__name__}") from error
        if answer.status == 422:
            raise PermanentError(text)
        if answer.status != 204:
            raise RetryableError(text)

    def owner_of(self, key: str) -> int:
        """The worker that remembers an Idempotency-Key: a retry may come in at any of them."""
        return zlib.crc32(key.encode("utf-8", "surrogatepass")) % self._place.total

    async def take(self, owner: int, records: list[Record], key: str, digest: bytes) -> Receipt:
        """Let the owner of a key take a batch. Raises what `Ingester.take` raises."""
        body = _entry_encoder.encode((key, digest, encode(records)))
        try:
            async with self._sessions[owner].post("/take", data=body) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OverloadedError("the worker that knows this Idempotency-Key is being replaced") from error
        if answer.status == 200:
            return msgspec.json.decode(content, type=Receipt)
        raise _REFUSALS.get(answer.status, OverloadedError)(content.decode())

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


class OneAtATime:
    """A sink that takes flushes of all workers, still one at a time."""

    def __init__(self, call: Callable[..., Awaitable[None]]) -> None:
        self._call = call
        self._lock = asyncio.Lock()

    def named(self, error: Exception) -> str:
        """What the asking worker may be told of an exception: the text of one that is meant to be shown."""
        if isinstance(error, RetryableError):
            return f"{type(error).__name__}: {error}"
        return where_raised(error, package_of(self._call))

    async def __call__(self, flush: Flush) -> None:
        """Wait for the turn, then store."""
        async with self._lock:
            await self._call(flush=flush)


@asynccontextmanager
async def answering(service: Service, place: Place, sinks: dict[str, OneAtATime]) -> AsyncIterator[None]:
    """Answer the other workers' questions while the service runs."""

    async def stats(_: web.Request) -> web.Response:
        return _json(service.own_stats())

    async def health(_: web.Request) -> web.Response:
        return _json(list(await service.own_health()))

    async def flush(request: web.Request) -> web.Response:
        return _json(await service.own_flush(float(request.query["deadline"])))

    async def deliver(request: web.Request) -> web.Response:
        try:
            await sinks[request.match_info["name"]](flush=_flush_decoder.decode(await request.read()))
        except PermanentError as error:
            return web.Response(status=422, text=str(error))
        except Exception as error:  # noqa: BLE001  whatever the sink raises, the asking lane tries again
            return web.Response(status=503, text=sinks[request.match_info["name"]].named(error))
        return web.Response(status=204)

    async def take(request: web.Request) -> web.Response:
        key, digest, payload = _entry_decoder.decode(await request.read())
        try:
            return _json(await service.door.submit(decode(payload), key=key, digest=digest))
        except tuple(_REFUSALS.values()) as error:
            status = next(status for status, kind in _REFUSALS.items() if isinstance(error, kind))
            return web.Response(status=status, text=str(error))

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/take", take)
    app.router.add_get("/stats", stats)
    app.router.add_get("/health", health)
    app.router.add_post("/flush", flush)
    app.router.add_post("/flushes/{name}", deliver)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    path = place.socket_of(place.number)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()  # noqa: ASYNC240  of a worker that died; one call at the start
    await web.UnixSite(runner, path).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
