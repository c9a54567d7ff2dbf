"""The plugin: the service itself speaks MCP over streamable HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator_mcp.answers import MAX_CHARACTERS
from log_aggregator_mcp.api import CURRENT, OwnApi
from log_aggregator_mcp.bridge import answer
from log_aggregator_mcp.server import build_server

DEADLINE = 60.0
"""Seconds for one exchange."""


class McpConfig(BaseModel):
    """Options of MCP over HTTP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/mcp", pattern="^/[A-Za-z0-9._~/-]+$", description="where the service speaks MCP")
    max_answer_characters: int = Field(8000, ge=1000, le=100_000, description="of one answer")


class McpPlugin:
    """Answers each request by itself: no sessions, so any worker may answer, and a restart loses nothing."""

    Config = McpConfig

    def __init__(self, config: McpConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve MCP while the service runs."""
        # The SDK notes every exchange at INFO.
        logging.getLogger("mcp").setLevel(logging.WARNING)
        server = build_server()
        # Hosts and origins are checked by the service's own guard.
        unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(json_response=True, stateless_http=True, transport_security=unguarded)
        manager = server.session_manager
        ready, ending = asyncio.Event(), asyncio.Event()
        # A task of its own: what fails inside the SDK's task group must not cancel the service's.
        task = asyncio.create_task(_run(manager, ready, ending), name="mcp")

        async def exchange(request: web.Request) -> web.StreamResponse:
            return await self._exchange(manager, request)

        service.add_route("POST", self._config.path, exchange, scope="read", by_source=True)
        try:
            async with asyncio.timeout(DEADLINE):
                await ready.wait()
            yield
        finally:
            ending.set()
            await task

    async def _exchange(self, manager: StreamableHTTPSessionManager, request: web.Request) -> web.StreamResponse:
        CURRENT.set(OwnApi(request))
        MAX_CHARACTERS.set(self._config.max_answer_characters)
        async with asyncio.timeout(DEADLINE):
            return await answer(manager, request)


async def _run(manager: StreamableHTTPSessionManager, ready: asyncio.Event, ending: asyncio.Event) -> None:
    async with manager.run():
        ready.set()
        await ending.wait()
