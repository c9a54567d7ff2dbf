"""Loki's queries about what was received: what Grafana's data source and Logs Drilldown ask."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from log_aggregator_loki.logql import Query, QueryError, parse
from tests.support.sender import Sender, sending

BUCKET = 300
START = 1_790_000_100  # a multiple of the bucket
API = "/loki/api/v1"


@pytest.fixture
async def sender(tmp_path: Path) -> AsyncIterator[Sender]:
    async with sending("[plugins.sqlite]\n[plugins.loki]", data_dir=tmp_path) as sender:
        streams = [
            pushed("shop", "info", "order paid", 6),
            pushed("shop", "error", "payment refused", 3),
            pushed("auth", "info", "user logged in", 2),
        ]
        assert (await sender.post(f"{API}/push", json.dumps({"streams": streams}))).status == 204
        await sender.service.flush()
        yield sender


def pushed(source: str, level: str, text: str, count: int) -> dict[str, Any]:
    """One log in each bucket, ten seconds after it begins."""
    values = [[f"{START + n * BUCKET + 10}000000000", text] for n in range(count)]
    return {"stream": {"service_name": source, "level": level}, "values": values}


async def ask(sender: Sender, path: str, **parameters: Any) -> Any:
    asked = {"start": f"{START}000000000", "end": f"{START + 10 * BUCKET}000000000", **parameters}
    answer = await sender.send("GET", f"{API}{path}?" + urllib.parse.urlencode(asked))
    assert answer.status == 200, answer
    return answer.json.get("data", answer.json)


async def test_labels_and_values(sender: Sender) -> None:
    assert await ask(sender, "/labels") == ["level", "pattern", "service_name"]
    assert await ask(sender, "/label/service_name/values") == ["auth", "shop"]
    assert await ask(sender, "/label/service_name/values", query='{service_name=~"s.*"}') == ["shop"]
    assert await ask(sender, "/label/detected_level/values", query='{service_name="auth"}') == ["info"]
    assert await ask(sender, "/label/pod/values") == []
    assert await ask(sender, "/label/pattern/values", query='{level="error"}') == ["payment refused"]


async def test_patterns_with_samples_over_time(sender: Sender) -> None:
    found = await ask(sender, "/patterns", query='{service_name="shop"}', step="5m")
    assert [(one["pattern"], one["level"], len(one["samples"])) for one in found] == [
        ("order paid", "info", 6),
        ("payment refused", "error", 3),
    ]
    assert found[1]["samples"] == [[START + n * BUCKET, 1] for n in range(3)]


async def test_counts_by_level_source_and_pattern(sender: Sender) -> None:
    query = 'sum by (level, detected_level) (count_over_time({service_name="shop"} |= "" | drop __error__ [5m]))'
    found = (await ask(sender, "/query_range", query=query, step="300"))["result"]
    by_level = {one["metric"]["level"]: one["values"] for one in found}
    assert by_level["error"] == [[START + n * BUCKET, "1"] for n in range(1, 4)]
    assert sum(int(value) for _, value in by_level["info"]) == 6
    query = 'sum(count_over_time({service_name=~".+"}[15m])) by (service_name)'
    found = (await ask(sender, "/query_range", query=query, step="5m"))["result"]
    totals = {one["metric"]["service_name"]: [value for _, value in one["values"]] for one in found}
    assert totals["auth"] == ["1", "2", "2", "1"]
    query = 'sum by (pattern) (rate({service_name="auth"}[5m]))'
    found = (await ask(sender, "/query_range", query=query, step="5m"))["result"]
    assert found[0]["metric"] == {"pattern": "user logged in"}
    assert float(found[0]["values"][0][1]) == pytest.approx(1 / 300)
    found = (await ask(sender, "/query_range", query='count_over_time({level!="error"}[5m])', step="5m"))["result"]
    assert {tuple(one["metric"].values()) for one in found} == {("shop", "info"), ("auth", "info")}


async def test_instant_queries_and_what_grafana_tries_first(sender: Sender) -> None:
    trial = await ask(sender, "/query", query="vector(1)+vector(1)")
    assert trial["result"][0]["value"][1] == "2"
    query = "sum(count_over_time({level=~`ERR.*`}[1h]))"
    found = await ask(sender, "/query", query=query, time=str(START + 3600))
    assert found["result"] == [{"metric": {}, "value": [START + 3600, "3"]}]
    assert (await ask(sender, "/status/buildinfo"))["version"]
    volume = (await ask(sender, "/index/volume", query='{service_name=~".+"}', targetLabels="service_name"))["result"]
    assert [(one["metric"]["service_name"], one["value"][1]) for one in volume] == [("shop", "9"), ("auth", "2")]
    assert await ask(sender, "/index/stats", query="{}") == {"streams": 2, "chunks": 0, "entries": 11, "bytes": 0}
    assert {"service_name": "auth", "level": "info"} in await ask(sender, "/series", **{"match[]": "{}"})
    assert (await ask(sender, "/detected_labels"))["detectedLabels"][0] == {"label": "service_name", "cardinality": 2}


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("/query_range", '{service_name="shop"}', "not kept"),
        ("/query_range", 'sum(count_over_time({service_name="shop"} |= "paid" [5m]))', "not kept"),
        ("/query_range", 'topk(3, sum(rate({service_name="shop"}[5m])))', "'topk' cannot be answered"),
        ("/query_range", 'count_over_time({pod="p"}[5m])', "label 'pod'"),
        ("/query_range", 'count_over_time({service_name=~"("}[5m])', "not a regular expression"),
        ("/query_range", "count_over_time({", "ends too early"),
        ("/query_range", "%%", "not understood"),
        ("/query_range", "count_over_time({}[5])", "'5': expected a duration"),
        ("/patterns", "", "ends too early"),
        ("/query_range", "(" * 5000, "cannot be answered"),
        ("/query_range", "sum(" * 2000, "nested"),
    ],
)
async def test_what_cannot_be_answered_says_so(sender: Sender, path: str, query: str, told: str) -> None:
    answer = await sender.send("GET", f"{API}{path}?" + urllib.parse.urlencode({"query": query}))
    assert answer.status == 400, answer
    assert told in answer.json["error"]


@pytest.mark.parametrize(
    "wrong", ["start=x", "start=9&end=1", "step=-1", "step=x", "since=y", "end=9999999999999999999999"]
)
async def test_wrong_times_are_refused(sender: Sender, wrong: str) -> None:
    query = urllib.parse.quote('count_over_time({service_name="a"}[5m])')
    assert (await sender.send("GET", f"{API}/query_range?query={query}&{wrong}")).status == 400


async def test_without_a_store_there_is_nothing_to_read() -> None:
    async with sending("[plugins.loki]") as sender:
        assert (await sender.send("GET", f"{API}/labels")).status == 503
    async with sending("[plugins.loki]\nqueries = false") as sender:
        assert (await sender.send("GET", f"{API}/labels")).status == 404


def test_regular_expressions_take_no_time() -> None:
    query = parse('count_over_time({service_name=~"(a+)+b"}[5m])')
    assert not query.takes("service_name", "a" * 100)
    assert isinstance(query, Query)
    with pytest.raises(QueryError):
        parse("{" * 20_000)


async def test_a_key_that_is_bound_to_sources_reads_of_these_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    bound = add_key(keys, "grafana", ("read",), ("shop*",))
    writer = add_key(keys, "agent", ("admin",))
    environ = {"API_KEYS_FILE": str(keys)}
    async with sending("[plugins.sqlite]\n[plugins.loki]", data_dir=tmp_path / "data", environ=environ) as sender:
        sender.headers["Authorization"] = f"Bearer {writer}"
        streams = [pushed("shop", "info", "order paid", 2), pushed("auth", "error", "user logged in", 3)]
        assert (await sender.post(f"{API}/push", json.dumps({"streams": streams}))).status == 204
        assert (await sender.post("/flush", "")).status == 200
        sender.headers["Authorization"] = f"Bearer {bound}"
        assert await ask(sender, "/label/service_name/values") == ["shop"]
        assert await ask(sender, "/label/level/values") == ["info"]
        assert [one["pattern"] for one in await ask(sender, "/patterns", query="{}")] == ["order paid"]
        assert await ask(sender, "/patterns", query='{service_name="auth"}') == []
        for query in ('sum(count_over_time({service_name="auth"}[5m]))', "sum(count_over_time({}[24h]))"):
            found = (await ask(sender, "/query_range", query=query, step="5m"))["result"]
            assert {value for one in found for _, value in one["values"]} <= {"1", "2"}
        assert (await ask(sender, "/index/stats", query="{}"))["entries"] == 2
        assert [one["service_name"] for one in await ask(sender, "/series")] == ["shop"]
