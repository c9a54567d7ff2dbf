"""The page's files, who may see what, and the live tail without a browser."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp

from log_aggregator import Record
from log_aggregator.http.access.keys import add_key
from log_aggregator_dashboard.tail import MAX_MESSAGE, MAX_WAITING, Wanted, Watcher
from tests.support.service import ServiceProcess

ASSETS = Path(__file__).parents[1] / "src/log_aggregator_dashboard/assets"
PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n"
StartService = Callable[..., ServiceProcess]


def record(message: str, level: str = "INFO", source: str = "web") -> Record:
    return Record(message, level, source, 1_800_000_000_000_000, {})


def test_files_are_small_rooms_without_foreign_addresses_or_markup_from_strings() -> None:
    files = [path for path in ASSETS.iterdir() if path.suffix in {".js", ".css", ".html"}]
    assert len(files) > 15
    for path in files:
        text = path.read_text()
        assert len(text.splitlines()) <= 300, path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            path.name
        )
        assert set(re.findall(r"https?://[^\"'\s)]+", text)) <= {"http://www.w3.org/2000/svg"}, path.name
        assert not re.search(r"<[^>]+\s(on\w+|style)=", text), f"{path.name}: inline script or style"


def test_a_watcher_gets_what_it_wants() -> None:
    watcher = Watcher(Wanted(level="error", source="web", q="TIMEOUT"))
    watcher.offer(
        [record("Timeout 1", "ERROR"), record("timeout 2"), record("timeout 3", "ERROR", "db"), record("ok", "ERROR")]
    )
    logs, missed = watcher.take()
    assert [log["message"] for log in logs] == ["Timeout 1"]
    assert missed == 0
    assert watcher.take() == ([], 0)


def test_a_slow_watcher_loses_the_oldest_and_is_told() -> None:
    watcher = Watcher(Wanted())
    watcher.offer([record(str(number)) for number in range(MAX_WAITING + 7)])
    logs, missed = watcher.take()
    assert (len(logs), missed, logs[0]["message"]) == (MAX_WAITING, 7, "7")


def test_a_long_message_is_cut() -> None:
    watcher = Watcher(Wanted())
    watcher.offer([record("x" * (MAX_MESSAGE + 1))])
    assert watcher.take()[0][0]["message"] == "x" * MAX_MESSAGE + "…"


async def test_the_page_and_its_files(start_service: StartService) -> None:
    service = start_service(PIPELINE)
    async with aiohttp.ClientSession(service.url) as session:
        async with session.get("/") as answer:
            page = await answer.text()
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
            assert "script-src 'self'" in policy
            assert "require-trusted-types-for 'script'" in policy
            assert "unsafe" not in policy
        assert "{{" not in page
        async with session.head("/") as answer:
            assert answer.status == 200
        for target in [
            *re.findall(r'(?:src|href)="(dashboard/[^"]+)"', page),
            *(f"dashboard/{p.name}" for p in ASSETS.glob("*.js")),
        ]:
            async with session.get(f"/{target}") as answer:
                assert (answer.status, answer.headers["X-Content-Type-Options"]) == (200, "nosniff")
                etag = answer.headers["ETag"]
                forever = re.fullmatch(r"dashboard/[0-9a-f]{16}/.+", target) is not None
                assert ("immutable" in answer.headers["Cache-Control"]) is forever, target
            async with session.get(f"/{target}", headers={"If-None-Match": etag}) as answer:
                assert answer.status == 304
        async with session.get("/dashboard/0123456789abcdef/main.js") as answer:  # a page of an earlier version
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
        async with session.get("/dashboard/manifest.webmanifest") as answer:
            assert answer.content_type == "application/manifest+json"
            assert json.loads(await answer.text())["start_url"] == "../"
        for wrong in ("/dashboard/nothing.js", "/dashboard/..%2Fplugin.py", "/dashboard/plugin.py"):
            async with session.get(wrong) as answer:
                assert answer.status == 404


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def test_the_tail_shows_what_comes_and_ends_its_watch(start_service: StartService) -> None:
    service = start_service(PIPELINE.replace("[plugins.dashboard]", "[plugins.dashboard]\nmax_tails = 1"))
    async with aiohttp.ClientSession(service.url) as session:
        async with session.get("/dashboard/tail?level=ERROR") as answer:
            assert answer.content_type == "text/event-stream"
            await answer.content.readline()
            assert service.get("/stats")["plugins"]["dashboard"]["figures"] == {"tails": 1}
            async with session.get("/dashboard/tail") as second:
                assert (second.status, "Retry-After" in second.headers) == (503, True)
            async with session.get("/dashboard/tail?nonsense=1") as wrong:
                assert wrong.status == 422
            logs = [{"message": "User 7 logged in"}, {"message": "Order 12 failed", "level": "ERROR", "source": "shop"}]
            assert service.post("/ingest/batch", logs)[0] == 202
            event = await anext(events(answer))
            pattern = service_pattern(service, "Order {ID} failed")
            (log,) = event["logs"]
            assert (log["message"], log["level"], log["source"], log["pattern_id"]) == (
                "Order 12 failed",
                "ERROR",
                "shop",
                pattern,
            )
        async with asyncio.timeout(10):  # sooner than the keep-alive would notice it
            while service.get("/stats")["plugins"]["dashboard"]["figures"]["tails"]:
                await asyncio.sleep(0.05)


def service_pattern(service: ServiceProcess, text: str) -> str:
    service.post("/flush")
    return next(row["pattern_id"] for row in service.get("/patterns")["patterns"] if row["pattern"] == text)


async def test_the_page_is_open_and_the_tail_needs_a_key(start_service: StartService, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    reader, sender = add_key(keys, "reader", ["read"]), add_key(keys, "sender", ["ingest"])
    service = start_service(PIPELINE, {"API_KEYS_FILE": str(keys)})
    async with aiohttp.ClientSession(service.url) as session:
        for path, key, status in [
            ("/", "", 200),
            ("/dashboard/main.js", "", 200),
            ("/dashboard/tail", "", 401),
            ("/dashboard/tail", sender, 403),
            ("/dashboard/tail", reader, 200),
        ]:
            async with session.get(path, headers={"Authorization": f"Bearer {key}"} if key else {}) as answer:
                assert answer.status == status, path
