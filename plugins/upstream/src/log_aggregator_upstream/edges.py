"""The plugin that receives: `POST /aggregates`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator import ConfigError, Reject, Service, hookimpl
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.request_limits import REQUEST_LIMITS
from log_aggregator.receivers import Link, OverloadedError, Receipt, SentAggregates
from log_aggregator.sinks import Aggregate, FencedError, Position
from log_aggregator_upstream.config import EdgesConfig
from log_aggregator_upstream.delivery import CONTENT_TYPE, VERSION, Delivery, decode
from log_aggregator_upstream.peers import note_passed, own_id, passed

INLINE = 65_536
"""Bytes of a body up to which it is decoded on the event loop."""

MOST_REJECTED = 100
"""Rejected groups that an answer names."""

log = logging.getLogger(__name__)


class EdgesReceiver:
    """Takes in the aggregates that other services send."""

    Config = EdgesConfig
    api = ">=1,<2"

    def __init__(self, config: EdgesConfig) -> None:
        self._config = config
        self._deliveries = self._duplicates = self._logs = self._groups = self._rejected = self._fenced = 0
        self._edges: set[str] = set()
        self._passed: set[str] = set()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route, when aggregates are accepted."""
        if not self._config.accept:
            log.info("aggregates of other services are not accepted; see [plugins.edges] accept")
            yield
            return
        self._service = service
        try:
            self._id = await asyncio.to_thread(own_id, service.shared_dir)
            self._passed = await asyncio.to_thread(passed, service.shared_dir)
        except OSError as error:
            raise ConfigError(f"DATA_DIR {service.shared_dir}: cannot be used: {error}") from error
        service.add_route("POST", "/aggregates", self._take, "ingest")
        service.add_stats("edges", self._stats)
        yield

    async def _take(self, request: web.Request) -> web.StreamResponse:
        try:
            delivery, aggregates = await self._read(request)
            receipt = await self._submit(delivery, aggregates)
        except Problem as problem:
            return problem.response()
        self._count(delivery.edge, len(aggregates), receipt)
        return _answer(receipt)

    async def _read(self, request: web.Request) -> tuple[Delivery, tuple[Aggregate, ...]]:
        if request.content_type != CONTENT_TYPE:
            raise Problem(415, f"Content-Type: {request.content_type}; expected {CONTENT_TYPE}")
        body = await request.app[REQUEST_LIMITS].body(request)
        try:
            small = len(body) <= INLINE
            delivery, aggregates = _decoded(body) if small else await asyncio.to_thread(_decoded, body)
        except (msgspec.MsgspecError, ValueError, IndexError, RecursionError, OverflowError) as error:
            raise Problem(400, f"the body is not a delivery of aggregates: {_told(error)}") from None
        if delivery.version != VERSION:
            raise Problem(400, f"version {delivery.version}; expected {VERSION}: run the same release on both sides")
        if len(aggregates) > self._config.max_groups:
            raise Problem(413, f"{len(aggregates)} groups in one request; expected at most {self._config.max_groups}")
        if self._id in delivery.via:
            raise Problem(422, "these aggregates have passed this service: the services send to each other in a circle")
        return delivery, aggregates

    async def _submit(self, delivery: Delivery, aggregates: tuple[Aggregate, ...]) -> Receipt:
        new = {delivery.edge, *delivery.via} - self._passed
        try:
            if new:  # before they are taken: what is sent on must name them
                self._passed = await asyncio.to_thread(note_passed, self._service.shared_dir, new)
            sent = SentAggregates(delivery.bucket, aggregates, delivery.aliases)
            link = Link(delivery.edge, Position(*delivery.place), Position(*delivery.previous))
            return await self._service.ingest_aggregates(sent, link)
        except OverloadedError as error:
            raise busy(503, str(error), error.retry_after) from None
        except Reject as error:
            raise Problem(422, error.reason) from None
        except FencedError as error:
            self._fenced += 1
            raise Problem(409, str(error)) from None
        except OSError as error:
            raise busy(503, f"the data directory cannot be written: {error.strerror}", 5.0) from None

    def _count(self, edge: str, groups: int, receipt: Receipt) -> None:
        self._edges.add(edge)
        if receipt.duplicate:
            self._duplicates += 1
            return
        self._deliveries += 1
        self._logs += receipt.accepted
        self._groups += groups - len(receipt.rejected)
        self._rejected += len(receipt.rejected)

    def _stats(self) -> dict[str, Any]:
        return {
            "edges": len(self._edges),
            "deliveries": self._deliveries,
            "duplicates": self._duplicates,
            "logs": self._logs,
            "groups": self._groups,
            "rejected_groups": self._rejected,
            "fenced": self._fenced,
        }


def _decoded(body: bytes) -> tuple[Delivery, tuple[Aggregate, ...]]:
    delivery = decode(body)
    return delivery, tuple(delivery.columns.aggregates())


def _answer(receipt: Receipt) -> web.Response:
    document = {
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicate,
        "durable": receipt.durable,
        "rejected_groups": len(receipt.rejected),
        "rejected": [{"index": index, "reason": reason} for index, reason in receipt.rejected[:MOST_REJECTED]],
    }
    return web.Response(body=msgspec.json.encode(document), status=202, content_type="application/json")


def _told(error: Exception) -> str:
    """What is wrong with a body: places and types, never its texts."""
    return (
        str(error)
        if isinstance(error, msgspec.ValidationError)
        else "not msgpack of its form, or columns that do not fit"
    )
