"""Large JSON answers go out as gzip to clients that take it."""

from __future__ import annotations

import asyncio
import gzip

from aiohttp import hdrs, web

LEAST = 1400
"""Bytes below which an answer fits into one packet anyway."""

_IN_A_THREAD = 32 * 1024
_LEVEL = 5
_KINDS = frozenset({"application/json", "text/html", "text/plain", "text/csv"})


async def zipped(request: web.Request, answer: web.StreamResponse) -> None:
    """Compress the body of an answer where that pays and the client takes it."""
    if not isinstance(answer, web.Response) or answer.content_type not in _KINDS or answer.compression:
        return
    body = answer.body
    if not isinstance(body, bytes) or len(body) < LEAST or hdrs.CONTENT_ENCODING in answer.headers:
        return
    answer.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
    if not takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        return
    small = len(body) < _IN_A_THREAD
    packed = gzip.compress(body, _LEVEL) if small else await asyncio.to_thread(gzip.compress, body, _LEVEL)
    answer.body = packed
    answer.headers[hdrs.CONTENT_ENCODING] = "gzip"


def takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header names gzip, or everything, without forbidding it."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        _, _, weight = parameters.replace(" ", "").partition("q=")
        try:
            weights[name.strip().lower()] = float(weight) if weight else 1.0
        except ValueError:
            weights[name.strip().lower()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0
