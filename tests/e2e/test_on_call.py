"""Marks, triage, comparisons, searches and explanations over HTTP, on a whole service with the embedded store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from log_aggregator_dev import harness
from log_aggregator_dev.harness import Harness

PIPELINE = "[plugins.redact]\n[plugins.patterns]\n[plugins.sqlite]\n[plugins.trends]\nrequired = false\n"
LOG = "Payment of 12 EUR for order 4711 refused"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(PIPELINE, data_dir=tmp_path) as running:
        await running.post(*[LOG] * 3, source="payment", level="ERROR")
        await running.post("User 7 logged in", source="auth")
        await running.request("POST", "/flush")
        yield running


async def refused_id(service: Harness) -> str:
    (pattern,) = (await service.get("/patterns?q=refused"))["patterns"]
    return str(pattern["pattern_id"])


async def test_marks_are_times_everywhere(service: Harness) -> None:
    at = int(time.time()) - 600
    body = {"title": "Deploy 1.4 (shop)", "at": str(at), "source": "shop", "url": "https://ci/7", "by": "anna"}
    made = await service.request("POST", "/marks", json=body)
    assert made.status == 201
    assert (made.body["slug"], made.body["by"], made.body["url"]) == ("deploy-1.4-shop", "anna", "https://ci/7")
    assert (await service.get("/marks?since=-1h"))["marks"] == [made.body]
    assert (await service.get("/marks?until=-1h"))["marks"] == []
    for path in ("/series?step=60&", "/patterns?", "/anomalies?", "/marks?"):
        assert (await service.request("GET", f"{path}since=mark:deploy-1.4-shop")).status == 200, path
    series = await service.get("/series?step=60&since=mark:Deploy 1.4 shop")
    assert series["since"] == made.body["at"]
    wrong = await service.request("GET", "/patterns?since=mark:none")
    assert (wrong.status, wrong.body["detail"]) == (422, "since: no mark is named 'none'; GET /marks lists them")
    assert (await service.request("DELETE", f"/marks/{made.body['id']}")).status == 204
    assert (await service.request("DELETE", f"/marks/{made.body['id']}")).status == 404


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 422, "title: Field required"),
        ({"title": "…"}, 422, "title: expected a letter or a digit"),
        ({"title": "a\nb"}, 422, "title: expected a text without control characters"),
        ({"title": "a", "url": "javascript:x"}, 422, "url: "),
        ({"title": "a", "at": "soon"}, 422, "at: expected ISO 8601"),
        ({"titel": "a"}, 422, "titel: unknown parameter; did you mean 'title'"),
        ({"title": "a" * 100_000}, 413, "expected a body of at most"),
    ],
)
async def test_a_wrong_mark(service: Harness, body: dict[str, Any], status: int, detail: str) -> None:
    answer = await service.request("POST", "/marks", json=body)
    assert answer.status == status
    assert detail in answer.body["detail"]


async def test_triage(service: Harness) -> None:
    name = await refused_id(service)
    path = f"/patterns/{name}/triage"
    untouched = await service.get(path)
    assert (untouched["state"], untouched["changed_at"], untouched["history"]) == ("open", None, [])
    said = {"state": "acknowledged", "owner": "shop", "note": "known\nsince May", "by": "anna"}
    answer = await service.request("POST", path, json=said)
    assert (answer.status, answer.body["state"], answer.body["changed_by"]) == (200, "acknowledged", "anna")
    assert (await service.get("/patterns?q=refused"))["patterns"][0]["triage"]["owner"] == "shop"
    assert (await service.get(f"/patterns/{name}"))["triage"]["note"] == "known\nsince May"
    assert [row["pattern"] for row in (await service.get("/patterns?triage=open"))["patterns"]] == [
        "User {ID} logged in"
    ]
    assert len((await service.get("/patterns?triage=open,acknowledged"))["patterns"]) == 2
    assert len((await service.get("/patterns?triage=acknowledged"))["patterns"]) == 1
    muted = await service.request("POST", path, json={"state": "muted", "mute_until": "+2h", "mute_times": 3})
    assert muted.body["muted_until"] > answer.body["changed_at"]
    assert muted.body["mute_rate"] >= 1.0
    assert muted.body["owner"] == "shop"
    await service.request("POST", path, json={"state": "resolved"})
    assert (await service.get(path))["state"] == "resolved"
    await service.post(LOG, source="payment", level="ERROR")
    await service.request("POST", "/flush")
    assert (await service.get(path))["state"] == "returned"
    assert len((await service.get("/patterns?triage=returned"))["patterns"]) == 1
    assert (await service.get("/patterns?triage=resolved"))["patterns"] == []
    assert (await service.get("/triage"))["triage"][0]["pattern_id"] == name
    changes = [entry["change"].get("state") for entry in (await service.get(path))["history"]]
    assert changes == ["resolved", "muted", "acknowledged"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "expected at least one of: state, name, note, owner"),
        ({"state": "gone"}, "state: "),
        ({"state": "open", "mute_times": 2}, "only with the state 'muted'"),
        ({"state": "muted", "mute_until": "-2h"}, "mute_until: expected a time to come"),
        ({"state": "muted", "mute_times": 1}, "mute_times: "),
        ({"owner": "x" * 201}, "owner: "),
    ],
)
async def test_a_wrong_triage(service: Harness, body: dict[str, Any], detail: str) -> None:
    answer = await service.request("POST", f"/patterns/{await refused_id(service)}/triage", json=body)
    assert answer.status == 422
    assert detail in answer.body["detail"]
    assert (await service.request("POST", f"/patterns/{'0' * 16}/triage", json={"state": "open"})).status == 404


async def test_a_pasted_line_finds_its_pattern(service: Harness) -> None:
    name = await refused_id(service)
    for line in ("Payment of 99 EUR for order 1 refused", "Payment of 5 EUR for order 88 refused"):
        answer = (await service.request("GET", "/patterns", params={"q": line})).body
        assert [row["pattern_id"] for row in answer["patterns"]] == [name]
        assert answer["line"]["pattern_id"] == name
    odd = 'level: unknown of "x'
    await service.post(odd)
    await service.request("POST", "/flush")
    answer = (await service.request("GET", "/patterns", params={"q": odd})).body
    assert [row["samples"] for row in answer["patterns"]] == [[odd]]
    nothing = (await service.request("GET", "/patterns", params={"q": "no such line at all"})).body
    assert nothing == {"patterns": [], "cursor": None}
    wrong = await service.request("GET", "/patterns", params={"q": "levle:error"})
    assert (wrong.status, wrong.body["detail"][:19]) == (422, "q: column 1: levle:")


async def test_explain(service: Harness) -> None:
    told = (await service.request("GET", "/explain", params={"line": LOG + " password=hunter2"})).body
    assert "hunter2" not in str(told)
    assert told["pattern"].startswith("Payment of ")
    assert told["rejected"] == ""
    assert (await service.get("/patterns?q=password"))["patterns"] == []


async def test_compare(service: Harness) -> None:
    await service.request("POST", "/marks", json={"title": "deploy", "at": "-2m"})
    await service.post(*[f"Cannot reach db {n}" for n in range(40)], source="db", level="ERROR")
    await service.request("POST", "/flush")
    for query in ("after=mark:deploy", "since=mark:deploy&before_since=-1h", "after=-2m..now&before=-1h..-2m"):
        found = await service.get(f"/compare?{query}")
        assert found["found"]["new"] >= 1, query
        assert found["new"][0]["pattern"] == "Cannot reach db {ID}"
        assert found["new"][0]["triage"] is None
        assert (found["before"]["logs"], found["after"]["logs"]) == (0, 44)
    assert (await service.get("/compare?after=-2m&q=level:info"))["after"]["logs"] == 1
    for query, detail in {
        "after=soon": "after: expected ISO 8601",
        "after=-1h&since=-1h": "after: says the same",
        "since=-1h&until=-2h": "since: expected a time before 'until'",
        "q=level:": "q: column 7",
    }.items():
        wrong = await service.request("GET", f"/compare?{query}")
        assert wrong.status == 422
        assert detail in wrong.body["detail"]


async def test_a_deploy_within_a_minute_makes_nothing_new_or_gone(service: Harness) -> None:
    """Half a minute after the deploy the last flush is some seconds old, and rows have logs from before and after."""
    now = time.time()
    start, mark, end = now - 90, now - 25, now - 8
    await service.request("POST", "/marks", json={"title": "in a minute", "at": str(mark)})
    for words in ("User {} logged in", "Order {} sent", "Cache miss {}"):
        logs = [{"message": words.format(n), "timestamp": start + n * 0.5} for n in range(int((end - start) * 2))]
        assert (await service.request("POST", "/ingest/batch", json=logs)).status == 202
    await service.request("POST", "/flush")
    found = await service.get("/compare?after=mark:in-a-minute&level=INFO")
    assert [name for name in ("new", "gone", "more", "less") if found[name]] == []
    assert found["after"]["logs"] == pytest.approx(3 * 2 * 17, abs=12)


async def test_what_is_learned_is_told(service: Harness) -> None:
    learning = (await service.get("/anomalies"))["learning"]
    assert 23 * 3600 < learning["seconds_left"] <= 24 * 3600 + 60
    assert learning["alarms"][0] == "any CRITICAL or FATAL log"


async def test_scopes(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    tokens = {scope: add_key(file, f"key-{scope}", [scope]) for scope in ("ingest", "read", "write")}
    tokens["bound"] = add_key(file, "key-bound", ["read", "write"], sources=["auth"])
    headers = {scope: {"Authorization": f"Bearer {token}"} for scope, token in tokens.items()}
    async with harness(PIPELINE, data_dir=tmp_path, environ={"API_KEYS_FILE": str(file)}) as service:
        logs = {"logs": [{"message": LOG, "source": "payment"}, {"message": "User 1 in", "source": "auth"}]}
        await service.request("POST", "/ingest/batch", json=logs, headers=headers["ingest"])
        await service.service.flush(10.0)
        rows = (await service.request("GET", "/patterns", headers=headers["read"])).body["patterns"]
        ids = {row["pattern"].split()[0]: row["pattern_id"] for row in rows}
        payment, user = f"/patterns/{ids['Payment']}/triage", f"/patterns/{ids['User']}/triage"
        said = {"json": {"state": "muted", "by": "somebody else"}}

        async def status(method: str, path: str, key: str, **more: Any) -> int:
            return (await service.request(method, path, headers=headers[key], **more)).status

        assert await status("POST", payment, "read", **said) == 403
        assert await status("POST", payment, "write", **said) == 200
        assert await status("POST", payment, "bound", **said) == 404
        assert await status("POST", user, "bound", **said) == 200
        assert (await service.request("GET", user, headers=headers["read"])).body["changed_by"] == "key-bound"
        assert await status("POST", "/marks", "read", json={"title": "x"}) == 403
        assert await status("POST", "/marks", "bound", json={"title": "x"}) == 403
        assert await status("POST", "/marks", "bound", json={"title": "x", "source": "payment"}) == 403
        assert await status("POST", "/marks", "bound", json={"title": "x", "source": "auth"}) == 201
        assert await status("POST", "/marks", "write", json={"title": "y", "source": "payment"}) == 201
        seen = (await service.request("GET", "/marks", headers=headers["bound"])).body["marks"]
        assert [mark["source"] for mark in seen] == ["auth"]
        compared = (await service.request("GET", "/compare", headers=headers["bound"])).body
        assert compared["after"]["logs"] == 1
        assert await status("GET", "/triage", "bound") == 403


async def test_a_store_without_notes_says_so(tmp_path: Path) -> None:
    async with harness("[plugins.patterns]\n", data_dir=tmp_path) as service:
        assert (await service.request("GET", "/marks")).status == 503
