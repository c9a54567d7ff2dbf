"""What the browser tests share: one browser, one service full of logs."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import ServiceProcess

PIPELINE = """
[plugins.patterns]
[plugins.classify]
[plugins.sqlite]
[plugins.trends]
[plugins.dashboard]
links = { "Open trace" = "https://traces.example.org/{kind}?ms={ms}" }
"""
QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\"> in {MARKUP}",
    "<script>document.title='owned'</script>",
    "javascript:document.title='owned'",
    "\u202egnirts desrever\u202c and {A}{B} ${7*7} {{constructor}} \u200b\U000e0041",
    "</title></textarea></script><svg onload=document.title='owned'>",
    "x" * 5000,
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a browser: `make test-browser` runs it."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def _tell_anomalies(service: ServiceProcess) -> None:
    """Rows as the sink writes them: what takes trends days to learn."""
    pattern = next(
        row for row in service.get("/patterns?limit=100")["patterns"] if row["pattern"].startswith("Payment")
    )
    now = time.time_ns() // 1000
    why = {"seen": 530, "window_minutes": 5, "expected_range": [0, 3.2], "one_in_10_to_the": 40}
    over = [{"key": "<u>bank</u>", "value": "north", "share": 0.97, "usual_share": 0.33}]
    own = {"series": f"pattern:{pattern['pattern_id']}", "pattern": pattern["pattern"]}
    errors = {"series": "errors:shop", "seen": 540, "window_minutes": 5}
    spike = json.dumps({"series": [{**own, **why, "over_represented": over}, errors]})
    silence = json.dumps(
        {"series": [{"series": "source:<b>cron</b>", "seen": 0, "silent_minutes": 12, "expected": 8.25}]}
    )
    about = (pattern["pattern_id"], pattern["pattern"])
    rows = [
        ("a1", 1, "spike", "open", "notify", *about, "ERROR", "shop", now - 600_000_000, now, None, 0.99, spike),
        (
            "a2",
            2,
            "silence",
            "resolved",
            "recorded",
            "",
            "",
            "",
            "<b>cron</b>",
            now - 3_600_000_000,
            now,
            now,
            0.5,
            silence,
        ),
    ]
    with closing(sqlite3.connect(service.data_dir / "logs.sqlite3")) as connection, connection:
        columns = "id, revision, kind, state, tier, pattern_id, pattern, level, source, started, updated, resolved"
        places = ", ".join("?" * 14)
        connection.executemany(f"INSERT INTO log_anomalies ({columns}, score, details) VALUES ({places})", rows)


def _browser_module() -> Any:
    spec = importlib.util.spec_from_file_location("dashboard_browser", Path(__file__).with_name("browser.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for all tests of a module."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    with _browser_module().chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with logs of several sources, levels and patterns, hostile ones among them."""
    service = ServiceProcess(tmp_path_factory.mktemp("full"), PIPELINE, QUIET).start()
    logs = [
        {"message": f"User {n} logged in", "source": "auth", "metadata": {"ms": n, "kind": "web"}} for n in range(40)
    ]
    logs += [{"message": f"Payment {n} failed: timeout", "level": "ERROR", "source": "shop"} for n in range(12)]
    logs += [{"message": f"Cache miss for key {n}", "level": "WARN", "source": "cache"} for n in range(5)]
    logs += [{"message": text, "source": "<b>evil</b>", "level": "<i>", "metadata": {"<u>": text}} for text in HOSTILE]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/flush")[1]["sealed"]
    _tell_anomalies(service)
    yield service
    service.stop()


@pytest.fixture
def visit(browser: Any, full: ServiceProcess) -> Iterator[Callable[..., Any]]:
    """`visit(url=…, **options)`: a person with a window; nothing may have been complained of in the end."""
    module = _browser_module()
    visitors: list[Any] = []

    def come(url: str = "", **options: Any) -> Any:
        visitors.append(module.Visitor(browser, url or full.url, **options))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()
