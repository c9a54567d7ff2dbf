"""The tools for a person on call, on a real service: times, severity, changes, marks, triage, prompts."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from log_aggregator.http.access.keys import add_key
from log_aggregator_mcp.api import CURRENT, Api
from log_aggregator_mcp.server import build_server
from plugins.mcp.tests.conftest import Live, answer_of
from tests.support.service import StartService

DISK = "Disk {PATH} is full"


@pytest.mark.parametrize("since", ["14:00", "00:00:01", "-5m", "now"])
async def test_every_time_is_understood(live: Live, since: str) -> None:
    for tool in ("top_patterns", "new_patterns", "error_rates", "anomalies", "marks"):
        assert "since" in await live.ask(tool, since=since), tool


async def test_severity_leads_the_order(live: Live) -> None:
    found = (await live.ask("search", text="i", since="-7d"))["patterns"]
    assert [row["pattern"] for row in found] == [DISK, "Payment {ID} failed", "User {ID} logged in"]


async def test_what_is_new_is_no_spike(live: Live) -> None:
    await live.send([{"message": f"Socket {n} closed early", "level": "ERROR", "source": "web"} for n in range(60)])
    answer = await live.ask("spiking_patterns", minutes=30)
    assert all(row["usual_count"] > 0 for row in answer["patterns"])
    assert answer["not_seen_before"] == "1 patterns: ask new_patterns or compare"


async def test_a_mark_and_what_changed_after_it(live: Live) -> None:
    made = await live.ask("set_mark", title="Deploy 1.4", at="-1m", source="shop")
    assert (made["name"], made["by"]) == ("mark:deploy-1.4", "assistant")
    assert (await live.ask("marks"))["marks"] == [made]
    await live.send([{"message": f"Socket {n} closed early", "level": "ERROR", "source": "web"} for n in range(60)])
    answer = await live.ask("compare", after="mark:deploy-1.4")
    assert answer["new"][0]["pattern"] == "Socket {ID} closed early"
    assert answer["found"]["new"] == 1
    assert len(json.dumps(answer)) < 4000


async def test_errors_by_value(live: Live) -> None:
    await live.send(
        [
            {"message": "Disk slow", "level": "ERROR" if n < 3 else "INFO", "metadata": {"zone": "a" if n < 4 else "b"}}
            for n in range(9)
        ]
    )
    answer = await live.ask("errors_by_value", key="zone", since="-1h")
    assert (answer["logs"], answer["errors"]) == (9, 3)
    assert answer["values"] == [
        {"value": "b", "logs": 5, "errors": 0, "error_share": 0.0},
        {"value": "a", "logs": 4, "errors": 3, "error_share": 0.75},
    ]


async def test_a_line_is_explained(live: Live) -> None:
    answer = await live.ask("explain_line", line="Payment 99999 failed")
    assert (answer["pattern"], answer["last_7_days"]) == ("Payment {ID} failed", 224)
    assert (await live.ask("explain_line", line="never heard of it"))["last_7_days"] == 0
    found = await live.ask("search", text="Payment 99999 failed", since="-7d")
    assert [row["id"] for row in found["patterns"]] == [answer["pattern_id"]]


async def test_triage(live: Live) -> None:
    (found,) = (await live.ask("search", text="payment", since="-7d"))["patterns"]
    assert (await live.ask("triage", pattern_id=found["id"]))["state"] == "open"
    said = {"state": "muted", "mute_until": "+2h", "mute_times": 3, "note": "the provider knows"}
    answer = await live.ask("triage", pattern_id=found["id"], **said)
    assert (answer["state"], answer["mute_times"], answer["changed_by"]) == ("muted", 3.0, "assistant")
    (found,) = (await live.ask("search", text="payment", since="-7d"))["patterns"]
    assert found["triage"] == {"state": "muted", "note": "the provider knows"}


async def test_prompts(live: Live) -> None:
    CURRENT.set(Api(live.url, {}, ""))
    async with Client(build_server()) as client:
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {"after_a_deploy", "on_call"}
        prompt = await client.get_prompt("after_a_deploy", {"mark": "mark:deploy-1.4"})
        assert "after=mark:deploy-1.4" in str(prompt.messages[0].content)


async def test_over_http_a_change_needs_the_scope_write(start_service: StartService, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    keys = {"read": add_key(file, "key-read", ["read"]), "write": add_key(file, "key-write", ["read", "write"])}
    service = start_service("[plugins.sqlite]\n[plugins.mcp]\n", environ={"API_KEYS_FILE": str(file)})
    for scope, key in keys.items():
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(f"{service.url}/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("set_mark", {"title": "from afar"})
            if scope == "read":
                assert result.is_error
                assert "expected the scope 'write'" in str(result.content)
            else:
                assert answer_of(result)["by"] == "key-write"
