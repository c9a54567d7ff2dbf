"""API keys with limits: expiry, rate, quota, sources to read; what is counted, slowed down and put in the audit log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.tests.http.made_store import ID, MadeStore
from core.tests.http.memory_backend import MemoryBackend, serve, serve_backend
from log_aggregator import Service, hookimpl
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.auth import needs
from log_aggregator.http.access.keys import ApiKey, KeyRing, Limits, add_key
from log_aggregator.http.access.ledger import GUESSES_AT_ONCE, Ledger, last_uses, write
from log_aggregator.model.record import Record
from log_aggregator_dev import harness

LOG = {"message": "a", "source": "shop-1"}
HASH = "sha256:" + "0" * 64


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_key_past_its_time_is_refused(tmp_path: Path) -> None:
    file, now = tmp_path / "keys.toml", datetime.now(UTC)
    old = bearer(add_key(file, "old", limits=Limits(expires=now - timedelta(seconds=1))))
    young = bearer(add_key(file, "young", limits=Limits(expires=now + timedelta(hours=1))))
    async with serve(api_keys_file=file) as door:
        assert (await door.client.post("/ingest", json=LOG, headers=young)).status == 202
        answer = await door.client.post("/ingest", json=LOG, headers=old)
        assert answer.status == 401
        assert "expired on" in (await answer.json())["detail"]


async def test_a_key_over_its_rate_waits(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    slow, other = (
        bearer(add_key(file, "slow", ["ingest", "read"], limits=Limits(rate=1))), bearer(add_key(file, "other"))
    )  # fmt: skip
    async with serve(api_keys_file=file) as door:
        assert (await door.client.post("/ingest/batch", json=[LOG] * 100, headers=slow)).status == 202
        for method, path in (("POST", "/ingest"), ("GET", "/stats")):
            answer = await door.client.request(method, path, json=LOG, headers=slow)
            assert answer.status == 429
            assert 30 <= int(answer.headers["Retry-After"]) <= 95
        assert (await door.client.post("/ingest", json=LOG, headers=other)).status == 202


async def test_a_daily_quota_is_exact_and_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    key = bearer(add_key(file, "some", limits=Limits(quota=10)))
    day = 20_000 * 86_400.0
    now = [day + 3600]
    ledger = Ledger(tmp_path / "uses.json", lambda: now[0])
    backend = MemoryBackend(Settings(port=0, api_keys_file=file))
    async with serve_backend(backend, ledger) as door:
        assert (await door.client.post("/ingest/batch", json=[LOG] * 8, headers=key)).status == 202
        partly = await (await door.client.post("/ingest/batch", json=[LOG] * 5, headers=key)).json()
        assert (partly["accepted"], [entry["index"] for entry in partly["rejected"]]) == (2, [2, 3, 4])
        answer = await door.client.post("/ingest", json=LOG, headers=key)
        assert (answer.status, answer.headers["Retry-After"]) == (429, str(23 * 3600))
        assert len(door.records) == 10
        now[0] = day + 86_400
        assert (await door.client.post("/ingest", json=LOG, headers=key)).status == 202
    assert ledger.path is not None
    write(ledger.path, ledger.encoded())
    after = Ledger(ledger.path, lambda: now[0])
    assert after.left(next(iter(KeyRing.read(file)))) == 9, "the quota outlives a restart"


async def test_wrong_keys_are_slowed_and_counted_and_known_clients_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.toml"
    good, new = bearer(add_key(file, "good", ["read"])), bearer(add_key(file, "new", ["read"]))
    async with serve(api_keys_file=file) as door:
        assert (await door.client.get("/stats", headers=good)).status == 200
        wrong = [(await door.client.get("/stats", headers=bearer(f"la.good.{n}"))).status for n in range(100)]
        assert wrong.count(401) <= GUESSES_AT_ONCE + 2
        assert wrong[-1] == 429
        answer = await door.client.get("/stats", headers=good)
        assert answer.status == 200, "a key that this client has used goes on"
        assert sum((await answer.json())["api_keys"]["refused"].values()) == 100
        guessing = await door.client.get("/stats", headers=new)
        assert guessing.status == 429, "else a guess would show at once whether it is right"
        assert int(guessing.headers["Retry-After"]) >= 1
    lines = [record for record in caplog.records if record.name == "log_aggregator.audit"]
    assert len(lines) == 1, "a flood of wrong keys is no flood of lines"
    assert (vars(lines[0])["key"], vars(lines[0])["client"]) == ("good", "127.0.0.1")
    assert "la." not in caplog.text


async def test_a_secret_sent_as_a_key_is_not_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys.toml"
    add_key(file, "good")
    async with serve(api_keys_file=file) as door:
        for secret in ("hunter2hunter2", "la.hunter2hunter2.x"):
            assert (await door.client.post("/ingest", json=LOG, headers={"X-API-Key": secret})).status == 401
    assert "hunter2" not in caplog.text


async def test_administrative_calls_are_in_the_audit_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys.toml"
    boss, reader = bearer(add_key(file, "boss", ["admin"])), bearer(add_key(file, "reader", ["read"]))
    backend = MemoryBackend(Settings(port=0, api_keys_file=file))
    backend.routes.append(("POST", "/notes-of-a-plugin", needs("write")(_answer)))
    with caplog.at_level(logging.INFO, "log_aggregator.audit"):
        async with serve_backend(backend) as door:
            for path, headers in (("/flush", boss), ("/notes-of-a-plugin", boss), ("/flush", reader), ("/stats", None)):
                await door.client.post(path, headers=headers)
            await door.client.get("/stats", headers=reader)
    lines = [vars(record) for record in caplog.records if record.name == "log_aggregator.audit"]
    calls = [(line["key"], line["call"], line["status"]) for line in lines if "call" in line]
    assert calls == [
        ("boss", "POST /flush", 200),
        ("boss", "POST /notes-of-a-plugin", 200),
        ("reader", "POST /flush", 403),
    ]
    assert [(line["key"], line["reason"]) for line in lines if "reason" in line] == [("reader", "scope")]


async def _answer(_: web.Request) -> web.StreamResponse:
    return web.json_response({})


def test_when_a_key_was_used_last_is_known_over_all_workers(tmp_path: Path) -> None:
    for number, directory in enumerate((tmp_path, tmp_path / "worker-1")):
        directory.mkdir(exist_ok=True)
        ledger = Ledger(directory / "api-keys.json", lambda number=number: 1000.0 + number)  # type: ignore[misc]  # a default
        ledger.used(ApiKey(hash=HASH, name="a"), "1.2.3.4")
        assert ledger.path is not None
        write(ledger.path, ledger.encoded())
    (tmp_path / "worker-2").mkdir()
    (tmp_path / "worker-2" / "api-keys.json").write_text("{broken")
    assert last_uses(tmp_path) == {"a": datetime.fromtimestamp(1001, UTC)}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rate = 'x'", "rate: expected a number greater than 0"),
        ("quota = 0", "quota: expected a whole number of at least 1"),
        ("qouta = 5", "qouta: unknown key; did you mean 'quota'?"),
        ("name = 'b'", "name: unknown key"),
    ],
)
def test_a_wrong_limit_stops_the_start(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f"[keys.a]\nhash = '{HASH}'\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        KeyRing.read(file)
    assert says in str(caught.value)


async def test_a_key_bound_to_sources_reads_of_these_only(tmp_path: Path) -> None:
    file, store = tmp_path / "keys.toml", MadeStore()
    bound = bearer(add_key(file, "bound", ["read", "write", "admin"], sources=["shop", "web-*"]))
    async with serve(store, api_keys_file=file) as door:
        for path in ("/patterns", f"/patterns/{ID}/timeline", "/series", "/anomalies"):
            answer = await door.client.get(path, headers=bound)
            assert answer.status == 200, path
            assert store.asked.sources == ("shop", "web-*")
            assert (await door.client.get(f"{path}?source=web-1", headers=bound)).status == 200
            assert (await door.client.get(f"{path}?source=bank", headers=bound)).status == 403
        await door.client.get(f"/patterns/{ID}", headers=bound)
        assert store.asked == (ID, ("shop", "web-*"))
        for method, path in (("GET", "/stats"), ("GET", "/health/db"), ("POST", "/flush")):
            answer = await door.client.request(method, path, headers=bound)
            assert answer.status == 403, path
            assert "bound to some sources" in (await answer.json())["detail"]
        assert "checks" not in await (await door.client.get("/health", headers=bound)).json()
        store.by_source = False
        for path in ("/patterns", f"/patterns/{ID}", "/series", "/anomalies"):
            answer = await door.client.get(path, headers=bound)
            assert answer.status == 403, "a store that cannot tell sources apart would tell of all"


def receiver(taken: list[int]) -> Any:
    """A plugin with a route that takes logs in, and two that tell something."""

    class Plugin:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self, service: Service) -> AsyncIterator[None]:
            async def receive(request: web.Request) -> web.StreamResponse:
                sources = (await request.text()).split()
                taken.append(
                    (await service.ingest([Record("a", "INFO", source, 0, {}) for source in sources])).accepted
                )
                return web.Response()

            async def tell(_: web.Request) -> web.StreamResponse:
                return web.Response()

            service.add_route("POST", "/v1/logs", receive, "ingest")
            service.add_route("GET", "/all", tell)
            service.add_route("GET", "/some", tell, by_source=True)
            yield

    return Plugin()


async def test_routes_of_plugins_are_limited_as_those_of_the_core(tmp_path: Path) -> None:
    file, taken = tmp_path / "keys.toml", []
    bound = bearer(add_key(file, "bound", ["ingest", "read"], ["shop-*"], Limits(quota=3)))
    slow = bearer(add_key(file, "slow", ["ingest"], limits=Limits(rate=1)))
    environ = {"API_KEYS_FILE": str(file)}
    async with harness(given={"receiver": receiver(taken)}, environ=environ) as h:

        async def post(body: str, headers: dict[str, str]) -> int:
            return (await h.request("POST", "/v1/logs", data=body.encode(), headers=headers)).status

        assert await post("shop-1", {}) == 401
        assert await post("bank", bound) == 403
        assert await post("shop-1 bank", bound) == 200
        assert await post("shop-1 shop-2 shop-3", bound) == 200
        assert await post("shop-1", bound) == 429
        assert taken == [1, 2]
        assert await post("x " * 100, slow) == 200
        assert await post("x", slow) == 429
        assert (await h.request("GET", "/all", headers=bound)).status == 403
        assert (await h.request("GET", "/some", headers=bound)).status == 200


async def test_routes_of_plugins_are_limited_by_client_and_source() -> None:
    taken: list[int] = []
    environ = {"RATE_LIMIT_SOURCE": "1"}
    async with harness(given={"receiver": receiver(taken)}, environ=environ) as h:
        for body, status in (("a " * 100, 200), ("a", 429), ("a b", 200)):
            assert (await h.request("POST", "/v1/logs", data=body.encode())).status == status
    assert taken == [100, 1]
