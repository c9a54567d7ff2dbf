"""The doors: API keys, rates, hosts, proxies, pages of other sites, security headers."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.tests.http.memory_backend import MemoryBackend, serve, serve_backend
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.auth import needs
from log_aggregator.http.access.clients import Clients
from log_aggregator.http.access.keys import KeyRing, add_key, new_key
from log_aggregator.http.access.rates import MOST, Rate

LOG = {"message": "a", "source": "shop-1"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_keys_open_what_their_scopes_say(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    tokens = {scope: add_key(file, f"k-{scope}", [scope]) for scope in ("ingest", "read", "write", "admin")}
    calls = [("POST", "/ingest", "ingest"), ("GET", "/stats", "read"), ("POST", "/flush", "admin")]
    async with serve(api_keys_file=file) as door:
        for method, path, needed in calls:
            body: Any = LOG if path == "/ingest" else None
            assert (await door.client.request(method, path, json=body)).status == 401
            assert (await door.client.request(method, path, json=body, headers=bearer("la.k-read.x"))).status == 401
            for scope, token in tokens.items():
                answer = await door.client.request(method, path, json=body, headers=bearer(token))
                assert (answer.status < 300) == (scope in (needed, "admin")), (path, scope)
                assert answer.status < 300 or answer.status == 403
        assert len(door.records) == 2
        answer = await door.client.post("/ingest", json=LOG)
        challenges = answer.headers.getall("WWW-Authenticate")
        assert [challenge.split()[0] for challenge in challenges] == ["Basic", "Bearer"], "a browser wants a line each"
        for path in ("/health", "/openapi.json", "/docs"):
            assert (await door.client.get(path)).status == 200
        assert "checks" not in await (await door.client.get("/health")).json()
        assert "checks" in await (await door.client.get("/health", headers=bearer(tokens["read"]))).json()
        basic = base64.b64encode(b"me:" + tokens["read"].encode()).decode()
        assert (await door.client.get("/stats", headers={"Authorization": f"Basic {basic}"})).status == 200
        assert (await door.client.get("/stats", headers={"X-API-Key": tokens["read"]})).status == 200


async def test_a_key_for_some_sources(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    shops, only = bearer(add_key(file, "shops", sources=["shop-*"])), bearer(add_key(file, "only", sources=["shop-1"]))
    async with serve(api_keys_file=file) as door:
        answer = await door.client.post("/ingest/batch", json=[LOG, {"message": "b", "source": "bank"}], headers=shops)
        document = await answer.json()
        assert (document["accepted"], document["rejected"][0]["index"]) == (1, 1)
        assert (await door.client.post("/ingest", json={"message": "b", "source": "bank"}, headers=shops)).status == 403
        assert (await door.client.post("/ingest", json={"message": "b"}, headers=only)).status == 202
        assert [record.source for record in door.records] == ["shop-1", "shop-1"]


def test_the_file_holds_hashes_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    token = add_key(file, "one")
    assert token not in file.read_text()
    assert token.rsplit(".", 1)[1] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KeyRing.read(file).find(token) is not None
    assert KeyRing.read(file).find(token[:-1]) is None
    with pytest.raises(ConfigError, match="taken"):
        add_key(file, "one")
    with pytest.raises(ConfigError, match="did you mean 'read'"):
        new_key("two", ["raed"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[key.a]", "did you mean 'keys'"),
        ("[keys.a]\nhash = 'secret'", "hash"),
        ("[keys.a]\nhsh = 'secret'", "hash|hsh"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_wrong_file_of_keys_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        KeyRing.read(file)
    assert "secret" not in str(caught.value)


async def test_a_client_over_its_rate_waits() -> None:
    async with serve(rate_limit_client=1, rate_limit_burst=5) as door:
        assert (await door.client.post("/ingest/batch", json=[LOG] * 100)).status == 202
        answer = await door.client.post("/ingest", json=LOG)
        assert answer.status == 429
        assert 90 <= int(answer.headers["Retry-After"]) <= 95
        assert len(door.records) == 100


async def test_a_source_over_its_rate_waits_and_the_others_do_not() -> None:
    other = {"message": "b", "source": "quiet"}
    async with serve(rate_limit_source=1, rate_limit_burst=5) as door:
        assert (await door.client.post("/ingest/batch", json=[LOG] * 100)).status == 202
        assert (await door.client.post("/ingest", json=LOG)).status == 429
        document = await (await door.client.post("/ingest/batch", json=[LOG, other, LOG])).json()
        assert document["accepted"] == 1
        assert [entry["index"] for entry in document["rejected"]] == [0, 2]


def test_a_rate_is_paid_back_with_time_and_bounded_in_memory() -> None:
    now = [0.0]
    rate = Rate(10, 2, lambda: now[0])
    rate.charge("loud", 20)
    assert rate.wait("loud") == 0
    rate.charge("loud", 10)
    assert rate.wait("loud") == pytest.approx(1)
    now[0] = 1.0
    assert rate.wait("loud") == 0
    rate.charge("loud", 1000)
    for number in range(3 * MOST):
        rate.charge(f"source-{number}", 1)
        if number % 1000 == 0:
            rate.charge("loud", 1)
    assert len(rate) <= MOST
    assert rate.wait("loud") > 0, "the loud one was forgotten"
    rate.charge("new", 1000)
    assert rate.wait("new") > 0, "the one that came last was forgotten"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("::ffff:9.9.9.9", "1.2.3.4", "9.9.9.9"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str, client: str) -> None:
    from multidict import CIMultiDict

    class Request:
        remote = peer
        headers = CIMultiDict({"X-Forwarded-For": forwarded} if forwarded else {})

    request: Any = Request()
    assert Clients("10.0.0.0/8").of(request) == client


async def test_pages_are_secured_and_plugins_may_bring_their_own_policy() -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<p>hi", content_type="text/html", headers={"Content-Security-Policy": "own"})

    @needs("ingest")
    async def receiver(_: web.Request) -> web.StreamResponse:
        return web.json_response({})

    backend = MemoryBackend(Settings(port=0))
    backend.routes += [("GET", "/page", page), ("POST", "/v1/logs", receiver)]
    async with serve_backend(backend) as door:
        docs = await door.client.get("/docs")
        assert "default-src 'none'" in docs.headers["Content-Security-Policy"]
        assert docs.headers["X-Frame-Options"] == "DENY"
        assert docs.headers["X-Content-Type-Options"] == "nosniff"
        assert "aiohttp" not in docs.headers["Server"]
        assert (await door.client.get("/page")).headers["Content-Security-Policy"] == "own"
        assert (await door.client.post("/v1/logs")).status == 200
        text = await docs.text()
        assert "<script" not in text
        assert "http://" not in text.replace(f"http://127.0.0.1:{door.port}", "")
