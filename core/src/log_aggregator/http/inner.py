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


INNER: web.AppKey[Inner] = web.AppKey("INNER", Inner)


class Asker:
    """Asks with the API key and the address of one request. Make it before the body of that request is read."""

    def __init__(self, request: web.Request) -> None:
        headers = request.headers.copy()
        for name in _LEFT_OUT:
            headers.popall(name, None)
        self._request = request.clone(method=hdrs.METH_GET, headers=headers)
        self._inner = request.app[INNER]

    async def get(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and body of a GET of one of the calls that answer with a whole body, not a stream."""
        handle = self._inner.handle
        assert handle is not None, "a request came, so the listener has set it"
        answer = await handle(self._request.clone(rel_url=URL(path).with_query(query)))
        body = answer.body if isinstance(answer, web.Response) else b""
        return answer.status, body if isinstance(body, bytes) else b""
