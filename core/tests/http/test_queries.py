"""The calls that read and operate, over a real connection."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from core.tests.http.made_store import FIELDS, FIRST, ID, MadeStore
from core.tests.http.memory_backend import HealthReport, serve

HOUR = 3_600_000_000


async def test_patterns() -> None:
    store = MadeStore()
    async with serve(store) as door:
        asked = "/patterns?level=warning&source=auth&q=user&order=count&limit=5&since=2025-11-24T16:00:00Z"
        document = await (await door.client.get(asked)).json()
        assert document["cursor"] == "next"
        assert document["patterns"][0]["first_seen"] == "2025-11-24T16:00:00.000000Z"
        assert document["patterns"][0]["last_seen"] == "2025-11-24T16:01:00.000001Z"
        query = store.asked
        assert (query.level, query.source, query.q, query.order, query.limit) == ("WARN", "auth", "user", "count", 5)
        assert query.since == FIRST
        assert (await (await door.client.get("/patterns?cursor=next")).json())["cursor"] is None


@pytest.mark.parametrize(
    ("text", "ago"), [("-1h", HOUR), ("-15m", HOUR // 4), ("-7d", 168 * HOUR), ("now", 0), ("-90s", HOUR // 40)]
)
async def test_relative_times(text: str, ago: int) -> None:
    store = MadeStore()
    async with serve(store) as door:
        await door.client.get(f"/patterns?since={text}")
        assert abs(time.time_ns() // 1000 - ago - store.asked.since) < 60_000_000


@pytest.mark.parametrize(
    "text", ["1764000000", "1764000000000", "2025-11-24T17:00:00%2B01:00", "2025-11-24T17:00:00+01:00"]
)
async def test_absolute_times(text: str) -> None:
    store = MadeStore()
    async with serve(store) as door:
        assert (await door.client.get(f"/patterns?since={text}")).status == 200
        assert store.asked.since == FIRST


@pytest.mark.parametrize(
    ("form", "kind", "lines"),
    [
        ("csv", "text/csv", 3),
        ("ndjson", "application/x-ndjson", 2),
        ("markdown", "text/markdown", 4),
    ],
)
async def test_an_export_has_all_pages(form: str, kind: str, lines: int) -> None:
    async with serve(MadeStore()) as door:
        answer = await door.client.get(f"/patterns?format={form}&q=user")
        text = await answer.text()
        assert (answer.status, answer.content_type, len(text.splitlines())) == (200, kind, lines)
        assert text.count("User {ID} logged in") == 2
        assert "attachment" in answer.headers["Content-Disposition"]
        one = await (await door.client.get(f"/patterns?format={form}&limit=1")).text()
        assert one.count("User {ID} logged in") == 1
        assert (await door.client.get(f"/patterns?format={form}&q=levle:x")).status == 422


@pytest.mark.parametrize("begin", "=+-@")
async def test_an_exported_text_is_no_formula_and_no_markup(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FIELDS, "pattern", f'{begin}1+1 is, a "formula" | `x`')
    async with serve(MadeStore()) as door:
        rows = list(csv.DictReader(io.StringIO(await (await door.client.get("/patterns?format=csv&limit=1")).text())))
        assert [row["pattern"] for row in rows] == [f"'{FIELDS['pattern']}"]
        table = await (await door.client.get("/patterns?format=markdown&limit=1")).text()
        assert table.endswith(f"| `{begin}1+1 is, a \"formula\" \\| 'x'` |\n")


@pytest.mark.parametrize(
    ("search", "status"),
    [("a%09b", 200), ("a%0D%0A%20at%20b", 200), ("a%00b", 422), ("a%1Bb", 422), ("a" * 1001, 422), ("a" * 1000, 200)],
)
async def test_a_pasted_line_may_have_tabs_and_line_breaks(search: str, status: int) -> None:
    async with serve(MadeStore()) as door:
        answer = await door.client.get(f"/patterns?q={search}")
        assert answer.status == status
        if status == 422:
            assert (await answer.json())["detail"].startswith("q: ")


async def test_one_pattern_its_timeline_and_series() -> None:
    store = MadeStore()
    async with serve(store) as door:
        assert (await (await door.client.get(f"/patterns/{ID}")).json())["metadata"] == {"user": {"count": 3}}
        document = await (await door.client.get(f"/patterns/{ID}/timeline?since=-1h&step=60")).json()
        assert document["pattern_id"] == ID
        assert document["series"][0]["points"] == [{"start": "2025-11-24T16:00:00.000000Z", "count": 3}]
        assert (store.asked.pattern_id, store.asked.step) == (ID, 60)
        assert abs(store.asked.until - store.asked.since - HOUR) < 1_000_000
        await door.client.get("/series?split_by=level")
        assert (store.asked.split_by, store.asked.until - store.asked.since) == ("level", 24 * HOUR)


async def test_anomalies() -> None:
    async with serve(MadeStore()) as door:
        document = await (await door.client.get("/anomalies?state=open")).json()
        assert document["anomalies"][0]["started"] == "2025-11-24T16:00:00.000000Z"
        assert document["anomalies"][0]["resolved"] is None


@pytest.mark.parametrize("path", ["/patterns", f"/patterns/{ID}", f"/patterns/{ID}/timeline", "/series", "/anomalies"])
async def test_a_store_out_of_reach_is_503(path: str) -> None:
    store: Any = MadeStore()
    store.reachable = False
    for given in (store, None):
        async with serve(given) as door:
            answer = await door.client.get(path)
            assert (answer.status, answer.content_type) == (503, "application/problem+json")
            assert "store" in (await answer.json())["detail"]


async def test_health() -> None:
    store = MadeStore()
    async with serve(store) as door:
        assert (await door.client.get("/health")).status == 200
        assert (await door.client.head("/health")).status == 200
        door.backend.report = HealthReport("degraded", True, {})
        assert (await door.client.get("/health")).status == 200
        door.backend.report = HealthReport("unhealthy", False, {})
        assert (await door.client.get("/health")).status == 503
        assert (await door.client.get("/health/db")).status == 200
        store.reachable = False
        answer = await door.client.get("/health/db")
        assert (answer.status, (await answer.json())["detail"]) == (503, "connection refused")
        assert (await answer.json())["figures"]["lag_flushes"] == {"memory": 3}


async def test_flush_and_stats() -> None:
    async with serve() as door:
        assert (await (await door.client.post("/flush?deadline=3")).json())["deadline"] == 3
        assert (await (await door.client.get("/stats")).json())["logs"] == 0


async def test_an_unforeseen_failure_is_a_problem_without_details(caplog: pytest.LogCaptureFixture) -> None:
    async with serve() as door:
        door.backend.stats = lambda: 1 / 0  # type: ignore[assignment,return-value]
        answer = await door.client.get("/stats")
        assert (answer.status, answer.content_type) == (500, "application/problem+json")
        assert "ZeroDivision" not in await answer.text()
        assert "ZeroDivision" in caplog.text
