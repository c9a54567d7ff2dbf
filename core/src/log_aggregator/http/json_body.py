"""A JSON object as the body of a request that changes something."""

from __future__ import annotations

import msgspec
from aiohttp import web
from pydantic import ValidationError

from log_aggregator.http.inner import BODY
from log_aggregator.http.parameters import B, describe
from log_aggregator.http.problem import Problem

MAX_BODY = 65_536


async def json_body(request: web.Request, model: type[B]) -> B:
    """The JSON body of a request. Raises `Problem` 400, 413 or 422."""
    raw = request.get(BODY)
    if raw is None:
        raw = await _sent(request)
    try:
        document = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem(400, f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Problem(422, "expected a JSON object")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Problem(422, describe(error, sorted(model.model_fields))) from None


async def _sent(request: web.Request) -> bytes:
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise Problem(413, f"expected a body of at most {MAX_BODY} bytes")
    raw = await request.content.read(MAX_BODY + 1)
    while len(raw) <= MAX_BODY and not request.content.at_eof():
        raw += await request.content.read(MAX_BODY + 1 - len(raw))
    if len(raw) > MAX_BODY:
        raise Problem(413, f"expected a body of at most {MAX_BODY} bytes", close=True)
    return raw
