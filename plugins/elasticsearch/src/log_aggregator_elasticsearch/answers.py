"""Answers as Elasticsearch's clients expect them: the product's header, and the content type that they accept."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from aiohttp import hdrs, web

from log_aggregator.http.receiving import Problem

_COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+json;\s*compatible-with=(\d{1,2})")
_TYPES = {
    400: "illegal_argument_exception", 404: "resource_not_found_exception", 409: "version_conflict_engine_exception",
    413: "content_too_long_exception", 429: "es_rejected_execution_exception", 503: "es_rejected_execution_exception",
}  # fmt: skip


def json_response(request: web.Request, document: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    compatible = _COMPATIBLE.search(request.headers.get(hdrs.ACCEPT, ""))
    kind = f"application/vnd.elasticsearch+json;compatible-with={compatible[1]}" if compatible else "application/json"
    headers = {hdrs.CONTENT_TYPE: kind, "X-Elastic-Product": "Elasticsearch"}
    return web.Response(body=msgspec.json.encode(document), status=status, headers=headers)


def failure(request: web.Request, status: int, reason: str) -> web.Response:
    """An error in Elasticsearch's form."""
    cause = {"type": _TYPES.get(status, "mapper_parsing_exception" if status == 400 else "exception"), "reason": reason}
    return json_response(request, {"error": {"root_cause": [cause], **cause}, "status": status}, status)


def refuse(request: web.Request, problem: Problem) -> web.Response:
    """The answer to a request that was not taken."""
    return failure(request, problem.status, problem.detail)
