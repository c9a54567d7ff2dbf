"""What clients ask before they send: version, license, templates, policies. Nothing of it is kept."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import hdrs, web

from log_aggregator_elasticsearch.answers import failure, json_response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NEWEST = {"7": "7.17.29", "8": "8.19.4", "9": "9.2.0"}
"""The version that a client is told which accepts answers of a major version only."""

_OWN = re.compile(r"\b[Ee]lastic[\w-]*/(\d{1,2}\.\d{1,3}\.\d{1,3})")
_COMPATIBLE = re.compile(r"compatible-with=(\d)")

_LICENSE = {"status": "active", "uid": "log-aggregator", "type": "basic", "mode": "basic"}
_OFF = {"available": False, "enabled": False}
_ACKNOWLEDGED = {"acknowledged": True}

_DOCUMENTS: dict[tuple[str, ...], Any] = {
    ("/_license",): {"license": _LICENSE},
    ("/_xpack",): {"build": {}, "license": _LICENSE, "features": {"ilm": _OFF, "security": _OFF, "monitoring": _OFF}},
    ("/_cluster/health",): {
        "cluster_name": "log-aggregator", "status": "green", "timed_out": False, "number_of_nodes": 1,
        "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1,
    },
    ("/_nodes", "/_nodes/http", "/_nodes/_all/http"): {"cluster_name": "log-aggregator", "nodes": {}},
    ("/_index_template/{name}",): {"index_templates": []},
}  # fmt: skip

_KEPT = (
    "/_index_template/{name}", "/_template/{name}", "/_component_template/{name}", "/_ilm/policy/{name}",
    "/_ingest/pipeline/{name}", "/_data_stream/{name}", "/{index}/_mapping", "/{index}/_settings",
)  # fmt: skip
"""Paths that clients write definitions to."""

_SHARDS = {"_shards": {"total": 1, "successful": 1, "failed": 0}}
_DONE = ("/_refresh", "/{index}/_refresh", "/_flush", "/{index}/_flush")
"""What has an effect on searches only."""

_ABSENT = ("/_ilm/policy/{name}", "/_ingest/pipeline/{name}", "/_component_template/{name}", "/_data_stream/{name}")


def routes(version: str) -> Iterator[tuple[str, str, Handler]]:
    """(method, path below the prefix, handler)."""
    for path in ("", "/"):
        yield from _both(path, _information(version))
    for paths, document in _DOCUMENTS.items():
        for path in paths:
            yield from _both(path, _saying(document))
    for path in _ABSENT:
        yield from _both(path, _missing)
    yield from _both("/_template/{name}", _saying({}))
    yield from _both("/_alias/{name}", _saying({}))
    for path in _KEPT:
        for method in ("PUT", "POST"):
            yield method, path, _saying(_ACKNOWLEDGED)
    for path in _DONE:
        yield "GET", path, _saying(_SHARDS)
        yield "POST", path, _saying(_SHARDS)
    yield "HEAD", "/{index}", _saying({})
    yield "PUT", "/{index}", _saying({**_ACKNOWLEDGED, "shards_acknowledged": True})


def _both(path: str, handler: Handler) -> Iterator[tuple[str, str, Handler]]:
    yield "GET", path, handler
    yield "HEAD", path, handler


def _saying(document: Any) -> Handler:
    async def say(request: web.Request) -> web.StreamResponse:
        return json_response(request, document)

    return say


async def not_served(request: web.Request) -> web.StreamResponse:
    """The answer to what is asked of a store of documents only, in a form that its clients can read."""
    return failure(request, 404, "not served: logs are taken in here, see GET /patterns of the service for what came")


async def _missing(request: web.Request) -> web.StreamResponse:
    return failure(request, 404, "not found: definitions are not kept here")


def _information(version: str) -> Handler:
    async def say(request: web.Request) -> web.StreamResponse:
        number = version or _version_for(request)
        return json_response(
            request,
            {
                "name": "log-aggregator",
                "cluster_name": "log-aggregator",
                "cluster_uuid": "log-aggregator-00000000",
                "version": {
                    "number": number,
                    "build_flavor": "default",
                    "build_type": "docker",
                    "build_hash": "unknown",
                    "build_date": "2026-01-01T00:00:00.000Z",
                    "build_snapshot": False,
                    "lucene_version": "10.3.0",
                    "minimum_wire_compatibility_version": "7.17.0",
                    "minimum_index_compatibility_version": "7.0.0",
                },
                "tagline": "You Know, for Search",
            },
        )

    return say


def _version_for(request: web.Request) -> str:
    """The client's own version, for Beats refuse a server that is older; else one of the major that it accepts."""
    own = _OWN.search(request.headers.get(hdrs.USER_AGENT, ""))
    if own:
        return own[1]
    accepted = _COMPATIBLE.search(request.headers.get(hdrs.ACCEPT, ""))
    return NEWEST.get(accepted[1] if accepted else "8", NEWEST["8"])
