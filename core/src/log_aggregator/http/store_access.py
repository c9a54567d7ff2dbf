"""How handlers reach the store: what it lacks, how long it may take, and which sources a key may see."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from aiohttp import web

from log_aggregator.errors import RetryableError
from log_aggregator.http.access.auth import allowed_sources
from log_aggregator.http.backend import Backend
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.time_params import MARK, moment
from log_aggregator.oncall import MarkQuery, OnCallStore
from log_aggregator.store import Store

DEADLINE = 10.0
"""Seconds that the store has for one answer."""

TIMES = ("since", "until", "before_since", "before_until")
"""Parameters that may name a mark."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


async def answered(question: Awaitable[T]) -> T:
    """What the store answers. Raises `Problem` 503 when it is out of reach or takes too long."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await question
    except RetryableError as error:
        _log.warning("the store is out of reach: %s", error)
        raise busy(503, "the store is out of reach; logs are still taken", error.retry_after or 5.0) from None
    except TimeoutError:
        raise busy(503, f"the store took longer than {DEADLINE:g} s; ask for less, or later", 5.0) from None


class StoreAccess:
    """The store of a service, as handlers need it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def store(self) -> Store:
        """The store that is read. Raises `Problem` 503 when there is none."""
        store = self._backend.store
        if store is None:
            detail = (
                "no store is enabled, so there is nothing to read; name one in plugins.toml, such as [plugins.sqlite]"
            )
            raise Problem(503, detail)
        return store

    def on_call(self) -> OnCallStore:
        """The store, when it keeps marks and triage. Raises `Problem` 501 when it does not, 503 without a store."""
        store = self.store()
        if not isinstance(store, OnCallStore):
            raise Problem(501, "this store keeps no marks and no triage, and compares nothing; sqlite and postgres do")
        return store

    def sources(self, request: web.Request, source: str | None = None) -> tuple[str, ...]:
        """The sources that the answer may tell of. Raises `Problem` 403 where the store cannot tell them apart."""
        sources = allowed_sources(request, source)
        if sources and not getattr(self.store(), "by_source", False):
            raise Problem(403, "this API key is bound to some sources, and this store cannot answer for these alone")
        return sources

    async def times(self, request: web.Request) -> Mapping[str, str]:
        """The query of a request, with the time of the mark where a time names one. Raises `Problem` 422."""
        named = [name for name in TIMES if request.query.get(name, "").startswith(MARK)]
        if not named:
            return request.query
        query = dict(request.query)
        for name in named:
            query[name] = str(await self.moment(query[name], name))
        return query

    async def moment(self, text: str, name: str) -> int:
        """A time of the parameter `name`; `mark:<slug>` is the latest mark of that slug. Raises `Problem`."""
        if not text.startswith(MARK):
            try:
                return moment(text)
            except ValueError as error:
                raise Problem(422, f"{name}: {error}") from None
        slug = slug_of(text[len(MARK) :])
        marks = await answered(self.on_call().marks(MarkQuery(slug=slug, limit=1)))
        if not marks:
            raise Problem(422, f"{name}: no mark is named {slug!r}; GET /marks lists them")
        return marks[0].at


def slug_of(title: str) -> str:
    """How queries name a mark: lower case, with a hyphen for all but letters, digits, dots and underscores."""
    return "-".join(
        part for part in "".join(c if c.isalnum() or c in "._" else " " for c in title.lower()).split() if part
    )
