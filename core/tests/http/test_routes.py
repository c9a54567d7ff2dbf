"""A plugin's route asks for the API key that the plugin names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from log_aggregator import ConfigError, Service, hookimpl
from log_aggregator.http.access.keys import add_key
from log_aggregator_dev import harness

SCOPES = ("ingest", "read", "admin")
ROUTES: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "/plain-get": ("GET", {}, {"read", "admin"}),
    "/plain-post": ("POST", {}, {"admin"}),
    "/webhook": ("POST", {"scope": "ingest"}, {"ingest", "admin"}),
    "/question": ("POST", {"scope": "read"}, {"read", "admin"}),
    "/danger": ("GET", {"scope": "admin"}, {"admin"}),
    "/page": ("GET", {"scope": "open"}, {"", "ingest", "read", "admin"}),
}
"""Path → method, how it is added, and the scopes that open it (an empty one: no key)."""


class Routes:
    def __init__(self, routes: dict[str, tuple[str, dict[str, Any], set[str]]]) -> None:
        self.routes = routes

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        for path, (method, more, _) in self.routes.items():
            service.add_route(method, path, self.answer, **more)
        yield

    async def answer(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.path)


async def test_a_route_opens_for_its_scope_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    keys = {"": {}} | {scope: {"Authorization": f"Bearer {add_key(file, f'k-{scope}', [scope])}"} for scope in SCOPES}
    async with harness(given={"routes": Routes(ROUTES)}, environ={"API_KEYS_FILE": str(file)}) as h:
        for path, (method, _, wanted) in ROUTES.items():
            answers = {scope: await h.request(method, path, headers=headers) for scope, headers in keys.items()}
            opened = {scope for scope, answer in answers.items() if (answer.status, answer.body) == (200, path)}
            assert opened == wanted, path
            assert all(answers[scope].status in (401, 403) for scope in keys.keys() - wanted), path


async def test_without_api_keys_a_scope_changes_nothing() -> None:
    async with harness(given={"routes": Routes(ROUTES)}) as h:
        for path, (method, _, _) in ROUTES.items():
            assert (await h.request(method, path)).status == 200


async def test_a_scope_that_is_none_stops_the_start() -> None:
    routes = Routes({"/page": ("GET", {"scope": "public"}, set())})
    with pytest.raises(
        ConfigError, match="route /page: scope 'public': expected one of open, ingest, read, write, admin"
    ):
        async with harness(given={"routes": routes}):
            pass


async def test_a_route_finds_keys_where_its_clients_send_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys.toml"
    token = add_key(file, "splunk", ["ingest"])

    def find(request: web.Request) -> str | None:
        if request.headers.get("X-Break"):
            raise KeyError(token)
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        return value if kind == "Splunk" else None

    routes = Routes({"/hec": ("POST", {"scope": "ingest", "credentials": find}, set())})
    async with harness(given={"routes": routes}, environ={"API_KEYS_FILE": str(file)}) as h:

        async def status(path: str, **headers: str) -> int:
            return (await h.request("POST", path, headers=headers)).status

        assert await status("/hec", Authorization=f"Splunk {token}") == 200
        assert await status("/hec", Authorization=f"Bearer {token}") == 200, "the usual way is open, too"
        assert await status("/hec", Authorization=f"Splunk {token}x") == 401
        assert await status("/hec") == 401
        assert await status("/ingest", Authorization=f"Splunk {token}") == 401, "only on this route"
        assert await status("/hec", Authorization=f"Bearer {token}", **{"X-Break": "1"}) == 200
    assert any(
        "KeyError at" in record.__dict__.get("error", "")
        for record in caplog.records
        if record.message == "credentials of a route failed"
    )
    assert token not in caplog.text
