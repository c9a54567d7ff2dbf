"""From an aiohttp request to the MCP SDK, which is an ASGI application, and back: one exchange, no stream."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from aiohttp import hdrs, web
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})

Message = MutableMapping[str, Any]


async def answer(manager: StreamableHTTPSessionManager, request: web.Request) -> web.Response:
    """Let the SDK answer a request whose body is bounded, with a body that is whole."""
    body = await request.read()
    received = False
    status, headers, parts = 500, [], []

    async def receive() -> Message:
        nonlocal received
        if received:
            return {"type": "http.disconnect"}
        received = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message.get("headers", [])
        else:
            parts.append(message.get("body", b""))

    await manager.handle_request(_scope(request), receive, send)
    response = web.Response(status=status, body=b"".join(parts))
    for name, value in headers:
        if name.decode("latin-1").lower() not in _HOP:
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    return response


def _scope(request: web.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path.encode("ascii", "replace"),
        "query_string": request.query_string.encode("ascii", "replace"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": None,
        "server": None,
    }
