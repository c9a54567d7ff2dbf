"""A client of HTTP receivers: sends bytes as an agent would, to a service that runs in the test."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from log_aggregator_dev.harness import Harness, harness


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Sender:
    """Sends to one service; `headers` go with every request."""

    def __init__(self, service: Harness, session: aiohttp.ClientSession) -> None:
        self.service = service
        self.headers: dict[str, str] = {}
        self._session = session

    async def send(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        """One request; `Content_Type=` and the like are headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        skipped = ["Content-Type"] if "Content-Type" not in named else []
        data = io.BytesIO(body) if isinstance(body, bytes) else body  # a large one must not be plain bytes
        async with self._session.request(
            method, self.service.url + path, data=data, headers=self.headers | named, skip_auto_headers=skipped
        ) as answer:
            return Answer(answer.status, await answer.read(), answer.headers.copy())

    async def post(self, path: str, body: bytes | str, **headers: str) -> Answer:
        """POST a body."""
        return await self.send("POST", path, body, **headers)

    async def records(self, path: str, body: bytes | str, **headers: str) -> list[dict[str, Any]]:
        """The records that a body would become."""
        answer = await self.post(f"{path}{'&' if '?' in path else '?'}debug=1", body, **headers)
        assert answer.status == 200, answer
        shown: list[dict[str, Any]] = answer.json["records"]
        return shown

    async def accepted(self) -> int:
        """Logs that the service has accepted, repetitions not counted."""
        logs: int = (await self.service.service.stats())["logs"]["aggregated"]
        return logs

    async def figures(self, plugin: str) -> dict[str, Any]:
        """A plugin's own figures."""
        figures: dict[str, Any] = (await self.service.service.stats())["plugins"][plugin]["figures"]
        return figures


@asynccontextmanager
async def sending(plugins: str = "", **more: Any) -> AsyncIterator[Sender]:
    """A service with these plugins, and a sender to it; `more` as for `harness`."""
    async with (
        harness(plugins, **more) as service,
        aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}, auto_decompress=False) as session,
    ):
        yield Sender(service, session)
