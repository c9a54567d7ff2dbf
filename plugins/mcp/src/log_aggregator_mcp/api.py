"""How the tools ask a running service: one GET of its HTTP API, and what can go wrong in words."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import aiohttp
from mcp.server.mcpserver.exceptions import ToolError

DEADLINE = 15.0
"""Seconds for one answer. The service itself gives its store 10."""


class Api:
    """The HTTP API of one service, with the headers that every request carries (API key, host)."""

    def __init__(self, url: str, headers: Mapping[str, str], help_on_key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = headers
        self._help_on_key = help_on_key

    async def get(self, path: str, **parameters: str | int | None) -> dict[str, Any]:
        """The JSON object at a path; parameters that are `None` or empty are left out. Raises `ToolError`."""
        query = {name: str(value) for name, value in parameters.items() if value is not None and value != ""}
        timeout = aiohttp.ClientTimeout(total=DEADLINE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.get(self._url + path, params=query, allow_redirects=False) as response,
            ):
                document = await response.json(content_type=None)
        except TimeoutError:
            raise ToolError(f"the log aggregator at {self._url} did not answer within {DEADLINE:g} s") from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise ToolError(
                f"the log aggregator at {self._url} gave no answer ({type(error).__name__}); is it running there?"
            ) from None
        if not isinstance(document, dict):
            raise ToolError(f"{self._url}{path} did not answer as a log aggregator does")
        if response.status == 200 or (path == "/health/db" and "reachable" in document):
            return document
        raise ToolError(self._problem(response.status, document))

    def _problem(self, status: int, document: dict[str, Any]) -> str:
        said = f"{status}: {document.get('detail') or document.get('title') or 'refused'}"
        return f"{said}. {self._help_on_key}" if status in (401, 403) else said


CURRENT: ContextVar[Api] = ContextVar("CURRENT")
"""The service that the tools of this request ask."""


async def get(path: str, **parameters: str | int | None) -> dict[str, Any]:
    """`Api.get` of the current service."""
    return await CURRENT.get().get(path, **parameters)
