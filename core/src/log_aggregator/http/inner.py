"""How a plugin's handler asks the service's own calls for its caller: through the guard, and past the network.

A connection to its own port would have to speak TLS to itself, and would count as one more client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import hdrs, web
from yarl import URL

_LEFT_OUT = (
    hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_LENGTH, hdrs.CONTENT_TYPE, hdrs.CONTENT_ENCODING, hdrs.IF_NONE_MATCH
)  # fmt: skip


class Inner:
    """The application's own request handler. The listener sets it."""

    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None


BODY: web.RequestKey[bytes] = web.RequestKey("BODY", bytes)
"""The body of a call that was made inside, in place of that of the request."""

INNER: web.AppKey[Inner] = web.AppKey("INNER", Inner)


class Asker:
    """Asks with the API key and the address of one request. Make it before the body of that request is read."""

    def __init__(self, request: web.Request) -> None:
        headers = request.headers.copy()
        for name in _LEFT_OUT:
            headers.popall(name, None)
        self._request = request.clone(method=hdrs.METH_GET, headers=headers)
        self._inner = request.app[INNER]

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """The status and body of a POST of one of the calls that read a small JSON body, such as `/marks`."""
        asked = self._request.clone(method=hdrs.METH_POST, rel_url=URL(path))
        asked[BODY] = body
        return await self._ask(asked)

    async def get(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and body of a GET of one of the calls that answer with a whole body, not a stream."""
        return await self._ask(self._request.clone(rel_url=URL(path).with_query(query)))

    async def _ask(self, request: web.Request) -> tuple[int, bytes]:
        handle = self._inner.handle
        assert handle is not None, "a request came, so the listener has set it"
        answer = await handle(request)
        body = answer.body if isinstance(answer, web.Response) else b""
        return answer.status, body if isinstance(body, bytes) else b""
