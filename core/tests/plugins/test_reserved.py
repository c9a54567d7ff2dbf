"""What the service has itself is not given to plugins: routes, and names of health checks and figures."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from core.tests.http.memory_backend import MemoryBackend
from log_aggregator import ConfigError
from log_aggregator.config.settings import Settings
from log_aggregator.http.app import build_app
from log_aggregator.plugins.context import PluginContext, Registrations
from log_aggregator.plugins.reserved import CHECKS, PATHS


async def handler(request: web.Request) -> web.Response:
    """Say hello.

    To whoever asks.
    """
    return web.json_response({})


async def well() -> str | None:
    return None


@pytest.fixture
def context() -> PluginContext:
    return PluginContext(None, "mine", Registrations())  # type: ignore[arg-type]  # no service is asked


async def test_the_table_holds_the_routes_of_the_service() -> None:
    found: dict[str, set[str]] = {}
    for route in build_app(MemoryBackend(Settings())).router.routes():  # type: ignore[arg-type]  # a backend for tests
        assert route.resource is not None
        if route.method != "HEAD":
            found.setdefault(route.resource.canonical, set()).add(route.method)
    assert found == PATHS


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/stats", "route GET /stats is the service's own; expected another path"),
        ("HEAD", "/health", "the service's own"),
        ("*", "/ingest", "the service's own"),
        ("GET", "/patterns/top", "the service's own"),
        ("GET", "mine", "route 'mine': expected a path that begins with /, such as '/mine'"),
        ("get", "/mine", "method 'get': expected an upper-case HTTP method"),
    ],
)
def test_a_route_that_would_never_be_reached_is_refused(
    context: PluginContext, method: str, path: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=f"plugin mine: route.*{said}" if "route" not in said else said):
        context.add_route(method, path, handler)


def test_other_routes_are_taken(context: PluginContext) -> None:
    for method, path in [("POST", "/stats"), ("GET", "/mine"), ("GET", "/patterns/{id}/mine"), ("*", "/{rest:.*}")]:
        context.add_route(method, path, handler)


def test_a_name_is_given_once(context: PluginContext) -> None:
    context.add_health_check("mine", well)
    context.add_stats("mine", dict)
    for name in ("mine", "sink postgres", *CHECKS):
        with pytest.raises(ConfigError, match=f"plugin mine: health check '{name}' is taken"):
            context.add_health_check(name, well)
    with pytest.raises(ConfigError, match="plugin mine: stats 'mine' is taken"):
        context.add_stats("mine", dict)


async def test_routes_of_plugins_are_in_the_openapi_document(start: Any) -> None:
    class Router:
        from log_aggregator import hookimpl

        @hookimpl
        @asynccontextmanager
        async def lifespan(self, service: Any) -> Any:
            service.add_route("GET", "/hello/{name:[a-z]{2,}}", handler, scope="open")
            yield

    from log_aggregator.http.api_docs.openapi import openapi

    async with start(Router()) as service:
        document = openapi("1", service.routes)
    operation = document["paths"]["/hello/{name}"]["get"]
    assert operation["summary"] == "Say hello."
    assert operation["parameters"][0]["name"] == "name"
