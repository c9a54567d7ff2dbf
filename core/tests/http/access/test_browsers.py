"""Browsers: pages of other sites that send, names that are rebound to this address, and what CORS lets in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from core.tests.http.memory_backend import Ingester, MemoryBackend, serve, serve_backend
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.auth import needs
from log_aggregator.http.access.exposure import access_of, check_exposure

LOG = {"message": "a"}
ALLOWED = "https://app.example.org"


@asynccontextmanager
async def with_routes(**settings: object) -> AsyncIterator[Ingester]:
    """A service with routes of plugins: one that changes something, one for MCP, one that receives."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    backend = MemoryBackend(Settings.model_validate({"port": 0, **settings}))
    backend.routes += [
        ("POST", "/marks", answer),
        ("POST", "/mcp", needs("read")(answer)),
        ("PUT", "/v1/logs", answer),
        ("GET", "/", answer),
    ]
    async with serve_backend(backend) as door:
        yield door


async def raw(port: int, request: bytes) -> bytes:
    """Send bytes, read the answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            writer.write(request)
            return await reader.read()
    finally:
        writer.close()


CHANGING = [("POST", "/ingest"), ("POST", "/ingest/batch"), ("POST", "/flush"), ("POST", "/marks"), ("POST", "/mcp")]
CHANGING += [("PUT", "/v1/logs"), ("DELETE", "/nothing/here")]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:3000", "https://127.0.0.1", "null", "file://", "nonsense", ""]
)
async def test_no_page_of_another_site_changes_anything(origin: str) -> None:
    async with with_routes() as door:
        for method, path in CHANGING:
            answer = await door.client.request(
                method, path, data=b'{"message": "a"}', headers={"Origin": origin, "Content-Type": "text/plain"}
            )
            assert answer.status == 403, (method, path)
            assert "ALLOWED_ORIGINS" in (await answer.json())["detail"]
        assert not door.records


async def test_own_pages_may_send() -> None:
    async with with_routes(allowed_hosts="logs.intra,logs.example.org") as door:
        for host, origin in (
            (f"127.0.0.1:{door.port}", f"http://127.0.0.1:{door.port}"),
            ("logs.intra:8004", "http://LOGS.intra:8004"),
            ("logs.example.org", "https://logs.example.org"),  # a proxy speaks TLS in front
            ("logs.example.org:443", "https://logs.example.org"),
        ):
            headers = {"Host": host, "Origin": origin}
            assert (await door.client.post("/ingest", json=LOG, headers=headers)).status == 202, origin
            assert (await door.client.post("/mcp", headers=headers)).status == 200, origin


async def test_pages_of_allowed_origins_may_send_and_read_the_answer() -> None:
    async with with_routes(allowed_origins=f"{ALLOWED}, http://localhost:3000") as door:
        for origin in (ALLOWED, "http://localhost:3000", "https://app.example.org:443"):
            headers = {"Origin": origin}
            asked = headers | {
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,authorization",
            }
            for path in ("/ingest", "/v1/logs", "/mcp"):
                preflight = await door.client.options(path, headers=asked)
                assert preflight.status == 204
                assert preflight.headers["Access-Control-Allow-Origin"] == origin
                assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
                assert preflight.headers["Access-Control-Allow-Headers"] == "content-type,authorization"
            cross = headers | {"Sec-Fetch-Site": "cross-site"}
            for path, body, status in (
                ("/ingest", LOG, 202), ("/ingest/batch", [LOG], 202), ("/mcp", {}, 200), ("/ingest", [], 422)
            ):  # fmt: skip
                answer = await door.client.post(path, json=body, headers=cross)
                assert answer.status == status
                assert answer.headers["Access-Control-Allow-Origin"] == origin
                assert "Origin" in answer.headers["Vary"]
        assert (await (await door.client.post("/ingest", json=LOG, headers={"Origin": ALLOWED})).json())[
            "accepted"
        ] == 1
        for origin in ("https://evil.example", f"{ALLOWED}.evil.example", f"{ALLOWED}:8443", "http://app.example.org"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            preflight = await door.client.options("/ingest", headers=asked)
            answer = await door.client.post("/ingest", json=LOG, headers={"Origin": origin})
            assert (preflight.status, answer.status) == (405, 403)
            assert "Access-Control-Allow-Origin" not in preflight.headers
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("text", ["app.example.org", "ftp://a", "https://a/path", "https://a b"])
async def test_an_origin_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match=r"ALLOWED_ORIGINS.*expected a site such as https://"):
        async with serve(allowed_origins=text):
            pass


async def test_on_loopback_without_keys_only_the_machines_own_names_are_answered() -> None:
    async with with_routes() as door:
        own = ("localhost", "LOCALHOST:8004", "127.0.0.1", "[::1]:8004", socket.gethostname())
        for path in ("/stats", "/health", "/docs", "/", "/nothing/here"):
            for host in own:
                assert (await door.client.get(path, headers={"Host": host})).status in (200, 404), host
            for host in ("evil.example", f"rebound.example:{door.port}", "localhost.evil.example", "1.2.3.4", ""):
                answer = await door.client.get(path, headers={"Host": host})
                assert answer.status == 421, host
                assert "ALLOWED_HOSTS" in (await answer.json())["detail"]
        rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
        assert (await door.client.post("/mcp", headers=rebound)).status == 421


async def test_allowed_hosts_are_answered_beside_the_machines_own() -> None:
    async with serve(allowed_hosts="logs.example.org,*.intra") as door:
        for host in ("logs.example.org:8004", "a.intra", "LOGS.example.org", "127.0.0.1"):
            assert (await door.client.get("/stats", headers={"Host": host})).status == 200, host
        for host in ("evil.example", "intra", "aintra"):
            assert (await door.client.get("/stats", headers={"Host": host})).status == 421, host
    for settings in ({"allowed_hosts": "*"}, {"host": "0.0.0.0", "allow_anonymous": True}):
        async with serve(**settings) as door:
            assert (await door.client.get("/stats", headers={"Host": "any.example"})).status == 200


HOSTILE = [b"[", b"]", b"a:99999", b"a:b", b":", b"", b"\xff\xfe", b"\xc3\xa4.example", b"a/b", b"a@b", b"[::1", b"::1",
           b"a b", b"a" * 4000, b"[::1]:x", b"%", b"a?b#c", b"..", b"-",
           b"a:" + b"9" * 400, b"[v1.a]", b"a\x01"]  # fmt: skip


@pytest.mark.parametrize("settings", [{}, {"host": "0.0.0.0", "allow_anonymous": True}], ids=["loopback", "public"])
async def test_no_host_header_makes_any_route_fail(
    settings: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    async with with_routes(**settings) as door:
        for path in (b"/docs", b"/openapi.json", b"/health", b"/", b"/patterns", b"/nothing"):
            for host in HOSTILE:
                head = b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % (path, host)
                status = int((await raw(door.port, head)).split(None, 2)[1])
                assert status != 500, (path, host)
                assert status in (400, 421) or host in (b"", b"..", b"-") or settings, (path, host)
        old = await raw(door.port, b"GET /docs HTTP/1.0\r\n\r\n")
        assert old.startswith(b"HTTP/1.0 200")
    assert "Traceback" not in caplog.text


async def test_a_page_of_a_plugin_answers_head() -> None:
    async with with_routes() as door:
        for path in ("/", "/health", "/docs"):
            assert (await door.client.head(path)).status == 200, path


def test_a_public_address_needs_keys_certificates_or_a_word() -> None:
    with pytest.raises(ConfigError, match=r"HOST 0\.0\.0\.0: .*keys new.*API_KEYS_FILE.*ALLOW_ANONYMOUS=1"):
        check_exposure(Settings(host="0.0.0.0"))
    for host in ("192.168.1.5", "::", "logs.example.org", ""):
        with pytest.raises(ConfigError):
            check_exposure(Settings(host=host))
    for settings, access in (
        ({"host": "0.0.0.0", "allow_anonymous": True}, "anonymous"),
        ({"host": "0.0.0.0", "api_keys_file": "keys.toml"}, "keys"),
        ({"host": "0.0.0.0", "tls_cert": "c.pem", "tls_client_ca": "ca.pem"}, "client certificates"),
        ({"host": "127.0.0.1"}, "loopback"),
        ({"host": "::1"}, "loopback"),
        ({"host": "localhost"}, "loopback"),
    ):
        check_exposure(Settings.model_validate(settings))
        assert access_of(Settings.model_validate(settings)) == access


async def test_health_says_that_everyone_may_come_in() -> None:
    async with serve(host="0.0.0.0", allow_anonymous=True) as door:
        assert (await (await door.client.get("/health")).json())["access"] == "anonymous"
