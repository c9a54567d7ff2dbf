"""After a change of the stages an alias leads from an old pattern to the one that its logs get now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.service import renaming
from log_aggregator.service.fingerprint import fingerprint
from log_aggregator.service.renaming import FILE, says_no_more
from log_aggregator_dev.harness import Harness, harness

OLD = '[plugins.patterns]\ndisable = ["package"]\n[plugins.sqlite]\n'
NEW = "[plugins.patterns]\n[plugins.sqlite]\n"
LINES = [f"collecting pkg-{name}==1.2.{number} now" for number, name in enumerate("abcdef")]


@pytest.mark.parametrize(
    ("text", "earlier", "is_so"),
    [
        ("got {NUM} now", "got {NUM}-{ID} now", True),
        ("got {VAR} from {IP}", "got bob from {IP}", True),
        ("job {ID} done", "{TIME} job {ID} done", True),
        ("{VAR} done", "job done", True),
        ("got 404 from {URL}", "got {ID} from {URL}", False),
        ("job {ID} done", "job {ID} done twice", False),
        ("job {ID} done", "nightly job {ID} done", False),
        ("a {VAR} b {VAR} c", "a x b", False),
        ("done", "done", True),
    ],
)
def test_only_a_pattern_that_says_no_more_takes_rows_over(text: str, earlier: str, is_so: bool) -> None:
    assert says_no_more(text, earlier) is is_so


async def shown(service: Harness, count: int) -> dict[str, int]:
    """The patterns and counts that the store shows, once there are `count` of them."""
    async with asyncio.timeout(30):
        while True:
            await service.flush()
            found = {row["pattern"]: row["count"] for row in (await service.get("/patterns"))["patterns"]}
            if len(found) == count and (service.service.shared_dir / FILE).exists():
                return found
            await asyncio.sleep(0.02)


async def stored(plugins: str, data_dir: Path, count: int, *lines: str) -> str:
    """What a start of the service writes down of its stages, after it has stored lines as `count` patterns."""
    async with harness(plugins, data_dir=data_dir) as service:
        await service.post(*lines)
        await shown(service, count)
        return fingerprint(service.service.runtime.registry)


async def test_the_same_lines_are_one_pattern_after_a_change_of_the_rules(tmp_path: Path) -> None:
    before = await stored(OLD, tmp_path, 7, *LINES, "unlike 5")
    async with harness(NEW, data_dir=tmp_path) as service:
        async with asyncio.timeout(30):
            while (tmp_path / FILE).read_text() == before:
                await asyncio.sleep(0.02)
        await service.post(*LINES, "unlike 5")
        assert await shown(service, 2) == {"collecting {ID} now": 2 * len(LINES), "unlike {ID}": 2}


async def test_without_a_change_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored(NEW, tmp_path, 2, *LINES, "unlike 5")
    asked: list[Any] = []

    async def aliases(*given: Any) -> list[Any]:
        asked.append(given)
        return []

    monkeypatch.setattr(renaming, "_aliases", aliases)
    async with harness(NEW, data_dir=tmp_path) as service:
        async with asyncio.timeout(30):
            await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "rename patterns"))
        assert (tmp_path / FILE).read_text() == fingerprint(service.service.runtime.registry)
        await service.flush()
        asked += [alias for flush in service.flushes for alias in flush.aliases]
    assert asked == []


async def test_rows_of_other_events_are_never_joined(tmp_path: Path) -> None:
    """The old rule hid the status; what was stored under it may be any."""
    hidden = '[plugins.patterns]\ndisable = ["method-status"]\n[plugins.sqlite]\n'
    lines = [f"GET 200 https://example.org/{name}" for name in "abc"]
    before = await stored(hidden, tmp_path, 2, *lines, "unlike 5")
    async with harness(NEW, data_dir=tmp_path) as service:
        async with asyncio.timeout(30):
            while (tmp_path / FILE).read_text() == before:
                await asyncio.sleep(0.02)
        await service.post(*lines)
        found = await shown(service, 3)
        assert found == {"GET {ID} {URL}": 3, "GET 200 {URL}": 3, "unlike {ID}": 1}
