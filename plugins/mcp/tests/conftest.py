"""A service with a history, and the official client in front of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from mcp import Client

from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import Settings
from log_aggregator.http.app import build_app
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service
from log_aggregator_mcp.api import CURRENT, Api
from log_aggregator_mcp.server import build_server
from plugins.mcp.tests.logs import history


class Live:
    """A service in this process behind its real HTTP API."""

    def __init__(self, service: Service, url: str) -> None:
        self.service = service
        self.url = url

    async def send(self, logs: list[dict[str, Any]]) -> None:
        """Post logs and wait until they are stored."""
        async with ClientSession() as session:
            async with session.post(f"{self.url}/ingest/batch", json={"logs": logs}) as answer:
                assert answer.status == 202
            async with session.post(f"{self.url}/flush") as answer:
                assert (await answer.json())["sinks"]["sqlite"] == {"outcome": "stored"}

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool through the official client, in this process."""
        CURRENT.set(Api(self.url, {}, ""))
        async with Client(build_server()) as client:
            return answer_of(await client.call_tool(tool, arguments))


def answer_of(result: Any) -> dict[str, Any]:
    """The one text of a result as the JSON it is."""
    (content,) = result.content
    assert not result.is_error, content.text
    decoded: dict[str, Any] = json.loads(content.text)
    return decoded


StartLive = Callable[..., AbstractAsyncContextManager[Live]]


@pytest.fixture
def start_live(tmp_path: Path) -> StartLive:
    @asynccontextmanager
    async def start(pipeline: str = "[plugins.patterns]\n[plugins.sqlite]") -> AsyncIterator[Live]:
        settings = Settings(data_dir=tmp_path / "data", shutdown_timeout=5)
        async with Service(settings, Registry(parse_plugins(pipeline), {})) as service:
            runner = web.AppRunner(build_app(service), access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            try:
                yield Live(service, f"http://127.0.0.1:{runner.addresses[0][1]}")
            finally:
                await runner.cleanup()

    return start


@pytest.fixture
async def live(start_live: StartLive) -> AsyncIterator[Live]:
    """A service that has seen three days of a small shop."""
    async with start_live() as running:
        await running.send(history())
        yield running
