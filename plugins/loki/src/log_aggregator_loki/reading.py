"""Loki's query routes: labels, patterns, and counts over time, in the words that Grafana understands."""

from __future__ import annotations

import asyncio
import re
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator import RetryableError, Service
from log_aggregator.http.access.auth import allowed_sources
from log_aggregator.model.fields import timestamps
from log_aggregator.store import Store
from log_aggregator_loki import counting
from log_aggregator_loki.counting import Counted, Span
from log_aggregator_loki.logql import LEVEL, PATTERN, SOURCE, Query, QueryError, duration, parse

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[["Asked", Store], Awaitable[Any]]

DEADLINE = 10.0
MOST_POINTS = 11_000
"""Points of one series, as Loki has it."""

MOST_VALUES = 200_000
"""Values of one answer."""

_CONSTANT = re.compile(r"vector\((\d+)\)(?:\+vector\((\d+)\))?")
_MICROS = 1_000_000
_LINES = (
    "log lines are counted, not kept; ask for counts, such as sum by (level) (count_over_time({…}[5m])), or patterns"
)


class Reading:
    """Answers queries from the store of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._bucket = service.settings.aggregation_bucket

    def routes(self) -> Iterator[tuple[str, Handler]]:
        """(path below the prefix, handler)."""
        answers: dict[str, Answer] = {
            "/labels": self._labels,
            "/label": self._labels,
            "/label/{name}/values": self._values,
            "/patterns": self._patterns,
            "/query_range": self._query_range,
            "/query": self._query,
            "/series": self._series,
            "/index/volume": self._volume,
            "/index/stats": self._stats,
            "/detected_labels": self._detected_labels,
            "/detected_fields": self._detected_fields,
            "/status/buildinfo": self._build,
        }
        for path, answer in answers.items():
            yield path, self._handler(answer)

    def _handler(self, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            parameters = await _parameters(request)
            store = self._service.store
            if store is None:
                return _error(503, "no store is enabled, so there is nothing to read")
            if parameters.sources and not getattr(store, "by_source", False):
                return _error(
                    403, "this API key is bound to some sources, and this store cannot answer for these alone"
                )
            try:
                async with asyncio.timeout(DEADLINE):
                    return _json(await answer(parameters, store))
            except QueryError as error:
                return _error(400, str(error))
            except RetryableError:
                return _error(503, "the store is out of reach; logs are still taken")
            except TimeoutError:
                return _error(503, f"the store took longer than {DEADLINE:g} s; ask for less, or later")

        return handle

    async def _labels(self, _: Asked, __: Store) -> Any:
        return _success([LEVEL, PATTERN, SOURCE])

    async def _values(self, asked: Asked, store: Store) -> Any:
        query, span = parse(asked.get("query") or "{}"), self._whole(asked)
        name = asked["name"]
        if name in (SOURCE, "source", "service"):
            return _success(sorted(await counting.sources(store, query, span)))
        if name in (LEVEL, "detected_level"):
            found = await counting.count(store, query._replace(by=((LEVEL, LEVEL),)), span)
            return _success(sorted(one.labels[LEVEL] for one in found))
        if name == PATTERN:
            return _success(sorted(row.pattern for row in await counting.patterns(store, query, span)))
        return _success([])

    async def _patterns(self, asked: Asked, store: Store) -> Any:
        query = parse(asked.get("query", ""))
        span = self._span(asked)
        found = await counting.count(store, query._replace(by=((PATTERN, PATTERN), (LEVEL, LEVEL))), span)
        found.sort(key=lambda one: -sum(count for _, count in one.points))
        return _success([{**one.labels, "samples": [list(point) for point in one.points]} for one in found])

    async def _query_range(self, asked: Asked, store: Store) -> Any:
        query = parse(asked.get("query", ""))
        if not query.seconds:
            raise QueryError(_LINES)
        since, until = _times(asked)
        step = max(_step(asked, since, until), (until - since) / _MICROS / MOST_POINTS)
        moments = [since / _MICROS + n * step for n in range(int((until - since) / _MICROS / step) + 1)]
        found = await self._counted(store, query, moments, asked.sources)
        result = [
            {"metric": one.labels, "values": [[m, v] for m, v in _windows(one, moments, query) if v != "0"]}
            for one in found
        ]
        return _success({"resultType": "matrix", "result": [one for one in result if one["values"]], "stats": {}})

    async def _query(self, asked: Asked, store: Store) -> Any:
        text = asked.get("query", "").replace(" ", "")
        moment = _time(asked.get("time"), time.time_ns() // 1000) / _MICROS
        constant = _CONSTANT.fullmatch(text)
        if constant:  # how Grafana tries a data source
            total = int(constant[1][:9]) + int((constant[2] or "0")[:9])
            return _success({"resultType": "vector", "result": [{"metric": {}, "value": [moment, str(total)]}]})
        query = parse(asked.get("query", ""))
        if not query.seconds:
            raise QueryError(_LINES)
        found = await self._counted(store, query, [moment], asked.sources)
        values = [(one.labels, next(_windows(one, [moment], query))) for one in found]
        result = [{"metric": labels, "value": list(value)} for labels, value in values if value[1] != "0"]
        return _success({"resultType": "vector", "result": result, "stats": {}})

    async def _series(self, asked: Asked, store: Store) -> Any:
        query = parse(asked.get("match[]") or asked.get("query") or "{}")
        found = await counting.count(store, query._replace(by=((SOURCE, SOURCE), (LEVEL, LEVEL))), self._whole(asked))
        return _success([one.labels for one in found])

    async def _volume(self, asked: Asked, store: Store) -> Any:
        """How much each source sent: in logs, where Loki says bytes."""
        span = self._whole(asked)
        by_level = asked.get("targetLabels", "") in (LEVEL, "detected_level")
        label = (asked["targetLabels"], LEVEL) if by_level else (SOURCE, SOURCE)
        found = await counting.count(store, parse(asked.get("query") or "{}")._replace(by=(label,)), span)
        totals = [(one.labels, sum(count for _, count in one.points)) for one in found]
        totals.sort(key=lambda one: -one[1])
        moment = span.until / _MICROS
        return _success(
            {"resultType": "vector", "result": [{"metric": m, "value": [moment, str(n)]} for m, n in totals]}
        )

    async def _stats(self, asked: Asked, store: Store) -> Any:
        found = await counting.sources(store, parse(asked.get("query") or "{}"), self._whole(asked))
        return {"streams": len(found), "chunks": 0, "entries": sum(found.values()), "bytes": 0}

    async def _detected_labels(self, asked: Asked, store: Store) -> Any:
        span = self._whole(asked)
        query = parse(asked.get("query") or "{}")
        found = await counting.count(store, query._replace(by=((LEVEL, LEVEL),)), span)
        named = len(await counting.sources(store, query, span))
        return {
            "detectedLabels": [
                {"label": SOURCE, "cardinality": named},
                {"label": LEVEL, "cardinality": len(found)},
            ]
        }

    async def _detected_fields(self, _: Asked, __: Store) -> Any:
        return {"fields": [], "limit": 0}

    async def _build(self, _: Asked, __: Store) -> Any:
        return {"version": "3.0.0", "revision": "log-aggregator", "branch": "", "buildDate": "", "goVersion": ""}

    def _whole(self, asked: Asked) -> Span:
        """The asked time in one step, for totals."""
        since, until = _times(asked)
        step = max(1, -(-(until - since) // _MICROS // self._bucket)) * self._bucket
        return Span(since, until, step, asked.sources)

    def _span(self, asked: Asked) -> Span:
        """The asked time in the asked steps, as near as the store's buckets come."""
        since, until = _times(asked)
        step = max(_step(asked, since, until), (until - since) / _MICROS / MOST_POINTS)
        return Span(since, until, max(1, round(step / self._bucket)) * self._bucket, asked.sources)

    async def _counted(
        self, store: Store, query: Query, moments: list[float], sources: tuple[str, ...]
    ) -> list[Counted]:
        """Counts in the store's finest steps, for all windows that end at these moments."""
        since, until = moments[0] - query.seconds, moments[-1]
        finest = max(self._bucket, (until - since) / MOST_POINTS)
        step = -(-finest // self._bucket) * self._bucket
        span = Span(max(0, int(since * _MICROS)), int(until * _MICROS), int(step), sources)
        found = await counting.count(store, query, span)
        if len(found) * len(moments) > MOST_VALUES:
            raise QueryError(f"{len(found)} series of {len(moments)} points: ask for a longer step, or fewer labels")
        return found


def _windows(one: Counted, moments: list[float], query: Query) -> Iterator[tuple[float, str]]:
    """(moment, count within the window that ends there); a bucket counts where it begins."""
    starts = [start for start, _ in one.points]
    sums = [0, *accumulate(count for _, count in one.points)]
    for moment in moments:
        total = sums[bisect_left(starts, moment)] - sums[bisect_left(starts, moment - query.seconds)]
        value = total / query.seconds if query.is_rate else total
        yield round(moment, 3), f"{value:.10g}" if query.is_rate else str(value)


class Asked(dict[str, str]):
    """The parameters of a question, and the sources that its API key may read; none: all."""

    sources: tuple[str, ...] = ()


async def _parameters(request: web.Request) -> Asked:
    form: dict[str, str] = {}
    if request.method == "POST":
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    asked = Asked({**form, **request.query, **request.match_info})
    asked.sources = allowed_sources(request)
    return asked


def _times(asked: Asked) -> tuple[int, int]:
    """(since, until) in microseconds; the default is the last hour. Raises `QueryError`."""
    until = _time(asked.get("end"), time.time_ns() // 1000)
    length = duration(asked["since"]) if asked.get("since") else 3600.0
    since = _time(asked.get("start"), max(0, until - int(length * _MICROS)))
    if not 0 <= since <= until <= 253_402_300_799 * _MICROS:
        raise QueryError("start: expected a time before end, which is now when it is not given")
    return since, until


def _time(text: str | None, default: int) -> int:
    """Seconds, nanoseconds or RFC 3339 → microseconds. Raises `QueryError`."""
    if not text:
        return default
    try:
        return timestamps.read(text)
    except (ValueError, OverflowError):
        raise QueryError(f"{text[:40]!r}: expected nanoseconds, seconds or RFC 3339") from None


def _step(asked: Asked, since: int, until: int) -> float:
    text = asked.get("step")
    if not text:
        return max(1.0, (until - since) / _MICROS / 250)
    try:
        seconds = float(text)
    except ValueError:
        seconds = duration(text)
    if not 0.001 <= seconds < 1e9:
        raise QueryError("step: expected a duration of at least 1ms")
    return seconds


def _success(data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")


def _error(status: int, text: str) -> web.Response:
    return _json(
        {"status": "error", "errorType": "bad_data" if status == 400 else "unavailable", "error": text}, status
    )
