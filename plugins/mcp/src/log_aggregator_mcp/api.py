"""How the tools ask a running service: one GET of its HTTP API, and what can go wrong in words."""

from __future__ import annotations

import asyncio
import json
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp import web
from mcp.server.mcpserver.exceptions import ToolError

from log_aggregator.http.inner import Asker

DEADLINE = 15.0
"""Seconds for one answer. The service itself gives its store 10."""


class Asking(ABC):
    """How the HTTP API of one service is asked."""

    help_on_key = ""

    async def get(self, path: str, **parameters: str | int | None) -> dict[str, Any]:
        """The JSON object at a path; parameters that are `None` or empty are left out. Raises `ToolError`."""
        query = {name: str(value) for name, value in parameters.items() if value is not None and value != ""}
        return self._read(path, *await self._ask(path, query))

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON object that answers a POST; fields that are `None` or empty are left out. Raises `ToolError`."""
        sent = {name: value for name, value in body.items() if value is not None and value != ""}
        return self._read(path, *await self._send(path, sent))

    def _read(self, path: str, status: int, document: Any) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise ToolError(f"{path} did not answer as a log aggregator does")
        if status in (200, 201) or (path == "/health/db" and "reachable" in document):
            return document
        said = f"{status}: {document.get('detail') or document.get('title') or 'refused'}"
        raise ToolError(f"{said}. {self.help_on_key}" if status in (401, 403) else said)

    @abstractmethod
    async def _ask(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """The status and the JSON value of a GET. Raises `ToolError`."""

    @abstractmethod
    async def _send(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """The status and the JSON value of a POST. Raises `ToolError`."""


class OwnApi(Asking):
    """The API of the service that runs this plugin, asked with the key of the caller: MCP opens no other door."""

    help_on_key = "Add the header 'Authorization: Bearer la.…' with a key of the scope 'read' to the client."

    def __init__(self, request: web.Request) -> None:
        self._asker = Asker(request)

    async def _ask(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        return await self._answer(self._asker.get(path, query))

    async def _send(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        return await self._answer(self._asker.post(path, json.dumps(body).encode()))

    async def _answer(self, question: Awaitable[tuple[int, bytes]]) -> tuple[int, Any]:
        try:
            async with asyncio.timeout(DEADLINE):
                status, body = await question
        except TimeoutError:
            raise ToolError(f"the log aggregator did not answer within {DEADLINE:g} s") from None
        return status, json.loads(body or b"null")


class Api(Asking):
    """The API at an address, with the headers that every request carries and the TLS settings of its client."""

    def __init__(
        self, url: str, headers: Mapping[str, str], help_on_key: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self.help_on_key = help_on_key
        self._url = url.rstrip("/")
        self._headers = headers
        self._tls = tls

    async def _ask(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        return await self._request("GET", path, params=query)

    async def _send(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        return await self._request("POST", path, json=body)

    async def _request(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        timeout = aiohttp.ClientTimeout(total=DEADLINE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.request(
                    method, self._url + path, allow_redirects=False, ssl=self._tls or True, **more
                ) as response,
            ):
                return response.status, await response.json(content_type=None)
        except TimeoutError:
            raise ToolError(f"the log aggregator at {self._url} did not answer within {DEADLINE:g} s") from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise ToolError(
                f"the log aggregator at {self._url} gave no answer ({type(error).__name__}); is it running there?"
            ) from None


CURRENT: ContextVar[Asking] = ContextVar("CURRENT")
"""The service that the tools of this request ask."""


async def get(path: str, **parameters: str | int | None) -> dict[str, Any]:
    """`Api.get` of the current service."""
    return await CURRENT.get().get(path, **parameters)


async def post(path: str, **body: Any) -> dict[str, Any]:
    """`Api.post` of the current service."""
    return await CURRENT.get().post(path, body)
