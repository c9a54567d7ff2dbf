"""What an error looks like on the wire: RFC 9457 `application/problem+json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818  the name that RFC 9457 gives it
    """An answer that says what is wrong and what would be right. `detail` is for a person.

    `members` are extension members of the JSON document; `headers` go on the answer. With `close`
    the connection ends after the answer, because the rest of the body was not read.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        close: bool = False,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.close = close
        self.members = members

    def body(self) -> bytes:
        """The JSON document."""
        document = {"type": "about:blank", "title": title(self.status), "status": self.status, "detail": self.detail}
        return msgspec.json.encode(document | self.members)

    def response(self) -> web.Response:
        """The answer."""
        answer = web.Response(body=self.body(), status=self.status, content_type=CONTENT_TYPE, headers=self.headers)
        if self.close:
            answer.force_close()
        return answer


def busy(status: int, detail: str, retry_after: float, *, close: bool = False) -> Problem:
    """A 429 or 503 that says when to come back: whole seconds, at least one."""
    seconds = max(1, math.ceil(retry_after))
    return Problem(status, detail, headers={"Retry-After": str(seconds)}, close=close, retry_after=seconds)


def title(status: int) -> str:
    """The name of a status code, as `about:blank` problems carry it."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
