"""What each tool answers, from a real service with a known history."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from mcp import Client

from log_aggregator.sinks import Anomaly
from log_aggregator_mcp.api import CURRENT, Api
from log_aggregator_mcp.server import build_server
from plugins.mcp.tests.conftest import Live, StartLive
from plugins.mcp.tests.logs import log

LOGS = 72 * 7 + 83


def texts(answer: dict[str, Any]) -> list[str]:
    return [pattern["pattern"] for pattern in answer["patterns"]]


async def test_log_metrics(live: Live) -> None:
    answer = await live.ask("log_metrics")
    assert (answer["status"], answer["accepted"], answer["processed"]) == ("healthy", LOGS, LOGS)
    assert answer["by_level"] == {"INFO": 360, "ERROR": 224, "CRITICAL": 3}
    assert answer["error_share"] == pytest.approx(227 / LOGS, abs=1e-4)
    assert answer["not_well"] == {}
    assert answer["memory_mib"] > 10


async def test_aggregation_statistics(live: Live) -> None:
    answer = await live.ask("aggregation_statistics")
    assert answer["logs_per_row"] > 2
    assert answer["efficiency"] == pytest.approx(1 - 1 / answer["logs_per_row"], abs=1e-3)
    (sink,) = answer["sinks"]
    assert (sink["sink"], sink["state"], sink["flushes_behind"], sink["lost_logs"]) == ("sqlite", "stored", 0, 0)


async def test_error_rates_are_by_source_and_of_the_asked_time(live: Live) -> None:
    answer = await live.ask("error_rates", since="-30m")
    assert answer["sources"][0] == {"source": "shop", "errors": 82, "logs": 82, "error_share": 1.0}
    assert answer["sources"][1] == {"source": "host-1", "errors": 3, "logs": 3, "error_share": 1.0}
    assert (answer["errors"], answer["sources_with_errors"]) == (85, 2)
    whole = await live.ask("error_rates", since="-7d", limit=1)
    assert (whole["errors"], whole["logs"], len(whole["sources"])) == (227, LOGS, 1)


async def test_performance(live: Live) -> None:
    answer = await live.ask("performance")
    assert answer["acknowledge_ms"]["count"] == 1
    assert answer["processing_us_per_log"] > 0
    assert answer["database"]["reachable"]
    assert answer["sink_delivery_ms"]["sqlite"] > 0
    assert set(answer["plugin_us_per_log"]) == {"patterns", "sqlite"}


async def test_top_patterns_and_their_filters(live: Live) -> None:
    answer = await live.ask("top_patterns", since="-7d")
    assert texts(answer)[:2] == ["User {ID} logged in", "Payment {ID} failed"]
    assert answer["patterns"][0]["count"] == 360
    assert "samples" not in answer["patterns"][0]
    assert texts(await live.ask("top_patterns", since="-7d", source="host-1")) == ["Disk {PATH} is full"]
    assert texts(await live.ask("top_patterns", since="-7d", level="error")) == ["Payment {ID} failed"]
    first = await live.ask("top_patterns", since="-7d", limit=1)
    assert len(first["patterns"]) == 1
    assert "raise limit" in first["more"]


async def test_new_patterns_are_those_never_seen_before(live: Live) -> None:
    answer = await live.ask("new_patterns", since="-1h")
    assert texts(answer) == ["Disk {PATH} is full"]
    assert answer["patterns"][0]["samples"]
    weekly = texts(await live.ask("new_patterns", since="-7d"))
    assert weekly == ["Disk {PATH} is full", "Payment {ID} failed", "User {ID} logged in"]
    assert texts(await live.ask("new_patterns", since="-1h", source="auth")) == []


async def test_spiking_patterns(live: Live) -> None:
    answer = await live.ask("spiking_patterns", minutes=30)
    assert texts(answer) == ["Payment {ID} failed"]
    assert (answer["patterns"][0]["count"], answer["patterns"][0]["usual_count"]) == (82, 1.0)
    assert texts(await live.ask("spiking_patterns", minutes=30, factor=1000)) == []


async def test_a_pattern_in_detail(live: Live) -> None:
    (found,) = (await live.ask("search", text="payment"))["patterns"]
    answer = await live.ask("pattern_detail", pattern_id=found["id"], since="-3h")
    assert answer["count"] == 72 * 2 + 80
    assert 1 <= len(answer["samples"]) <= 3
    assert answer["metadata"]["ms"]["numbers"]["max"] == 79
    assert sum(int(hour.split()[1]) for hour in answer["hours"]) >= 84


async def test_search_finds_by_text(live: Live) -> None:
    assert texts(await live.ask("search", text="LOGGED")) == ["User {ID} logged in"]
    assert texts(await live.ask("search", text="no such text")) == []


async def test_anomalies_with_their_why(live: Live) -> None:
    now = time.time_ns() // 1000
    why = {"expected": [1, 4], "seen": 80, "samples": ["x" * 5000] * 40}
    live.service.runtime.aggregator.emit(
        Anomaly(
            "a1",
            "spike",
            "open",
            "notify",
            "0" * 16,
            "Payment {ID} failed",
            "ERROR",
            "shop",
            now,
            now,
            0.97,
            details=why,
        )
    )
    live.service.runtime.aggregator.emit(
        Anomaly("a2", "silence", "resolved", "recorded", "", "", "", "auth", now, now, 0.5, resolved=now)
    )
    await live.send([log("User 1 logged in", 0)])
    (spike,) = (await live.ask("anomalies"))["anomalies"]
    assert (spike["id"], spike["kind"], spike["why"]["expected"], spike["why"]["seen"]) == ("a1", "spike", [1, 4], 80)
    assert len(json.dumps(spike)) < 2000
    both = await live.ask("anomalies", state="any")
    assert {one["id"] for one in both["anomalies"]} == {"a1", "a2"}
    assert (await live.ask("anomalies", tier="recorded"))["anomalies"] == []


async def test_an_answer_never_floods(start_live: StartLive) -> None:
    words = [f"{number:04d}".translate(str.maketrans("0123456789", "abcdefghij")) for number in range(800)]
    async with start_live() as live:
        await live.send(
            [log(f"{word} {word} went wrong {'very ' * 200}", 60, "ERROR", f"source-{word}") for word in words]
        )
        CURRENT.set(Api(live.url, {}, ""))
        async with Client(build_server()) as client:
            for tool in ("top_patterns", "new_patterns", "spiking_patterns", "error_rates"):
                result = await client.call_tool(tool, {"limit": 50})
                (content,) = result.content
                assert len(content.text) <= 8000, tool
                json.loads(content.text)
            whole = json.loads((await client.call_tool("top_patterns", {"limit": 50})).content[0].text)
            assert 5 < len(whole["patterns"]) < 50
            assert "entries" in whole["left_out"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("top_patterns", {"since": "yesterdayish"}, "since"),
        ("top_patterns", {"limit": 5000}, "limit"),
        ("pattern_detail", {"pattern_id": "nope"}, "pattern_id"),
        ("pattern_detail", {"pattern_id": "0" * 16}, "no pattern has the id"),
        ("search", {}, "text"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_is_wrong(
    live: Live, tool: str, arguments: dict[str, Any], said: str
) -> None:
    CURRENT.set(Api(live.url, {}, ""))
    async with Client(build_server()) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert said in result.content[0].text


async def test_without_a_store_the_figures_still_answer(start_live: StartLive) -> None:
    async with start_live("[plugins.patterns]") as live:
        assert (await live.ask("log_metrics"))["accepted"] == 0
        assert (await live.ask("performance"))["database"]["reachable"] is False
        CURRENT.set(Api(live.url, {}, ""))
        async with Client(build_server()) as client:
            result = await client.call_tool("top_patterns", {})
        assert "no store is enabled" in result.content[0].text
