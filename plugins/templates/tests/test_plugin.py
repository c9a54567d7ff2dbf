"""The plugin in the service: templates, aliases on flushes, restarts, and what is kept out of the learning."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from log_aggregator import Record, pattern_id
from log_aggregator.sinks import Alias
from log_aggregator.storekit import resolve_aliases
from log_aggregator_dev import run_stage
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_dev.host import living
from log_aggregator_templates import Templates, TemplatesConfig

from .learned import NAMES

PIPELINE = "[plugins.patterns]\n[plugins.templates]\n"
LEARNED = "session opened for user {VAR} by root"
LINES = [f"session opened for user {name} by root" for name in NAMES]


def aliases(service: Harness) -> list[Alias]:
    return [alias for flush in service.flushes for alias in flush.aliases]


async def shown(service: Harness) -> dict[str, int]:
    """What a store shows: counts under the patterns that hold in the end."""
    counts: dict[str, int] = {}
    raw = await service.counts()
    resolved = resolve_aliases(aliases(service))
    for pattern, count in raw.items():
        end = resolved.get(pattern_id(pattern))
        text = end.final_pattern if end and end.final_pattern else pattern
        counts[text] = counts.get(text, 0) + count
    return counts


async def test_totals_are_exact_under_the_learned_pattern(tmp_path: Path) -> None:
    async with harness(PIPELINE, data_dir=tmp_path) as service:
        for line in [*LINES, *LINES, "User 5 logged in"]:
            await service.post(line)
        assert await shown(service) == {LEARNED: 2 * len(LINES), "User {ID} logged in": 1}
        assert aliases(service)


async def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    async with harness(PIPELINE, data_dir=tmp_path) as service:
        await service.post(*LINES)
    async with harness(PIPELINE, data_dir=tmp_path) as service:
        await service.post("session opened for user zoe by root")
        assert await service.counts() == {LEARNED: 1}
        assert (await service.get("/stats"))["plugins"]["templates"]["figures"]["templates"] == 1


async def test_after_a_kill_the_aliases_are_told_again(tmp_path: Path) -> None:
    """What was saved can hold merges whose aliases were never flushed."""
    plugin, records = Templates(TemplatesConfig(save_every=0.01)), [Record(line, "INFO", "w", 0, {}) for line in LINES]
    async with living(plugin, tmp_path) as host:
        run_stage(plugin, records)
        async with asyncio.timeout(30):
            while not (tmp_path / "templates.json").exists():
                await asyncio.sleep(0.01)
        killed = (tmp_path / "templates.json").read_bytes()
        told = {(event.old_id, event.pattern) for event in host.events if isinstance(event, Alias)}
    assert told
    async with living(Templates(TemplatesConfig()), tmp_path) as host:
        assert host.events == []
    (tmp_path / "templates.json").write_bytes(killed)
    async with living(Templates(TemplatesConfig()), tmp_path) as host:
        assert {(event.old_id, event.pattern) for event in host.events if isinstance(event, Alias)} == told


async def test_a_broken_file_costs_only_the_learning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "templates.json").write_text("nonsense")
    async with living(Templates(TemplatesConfig()), tmp_path) as host:
        assert host.events == []
    assert "cannot be read" in caplog.text


async def test_a_source_can_be_kept_out(tmp_path: Path) -> None:
    async with harness(PIPELINE + 'exclude_sources = ["audit-*"]\n', data_dir=tmp_path) as service:
        await service.post(*LINES, source="audit-1")
        assert await shown(service) == dict.fromkeys(LINES, 1)
        await service.post(*[f"removing {name} now" for name in NAMES], source="web")
        assert await shown(service) == {**dict.fromkeys(LINES, 1), "removing {VAR} now": len(NAMES)}


async def test_a_source_kept_out_takes_back_an_alias_that_others_caused(tmp_path: Path) -> None:
    async with harness(PIPELINE + 'exclude_sources = ["audit-*"]\n', data_dir=tmp_path) as service:
        await service.post(*LINES, source="web")
        assert await shown(service) == {LEARNED: len(LINES)}
        await service.post(*LINES, source="audit-1")
        found = await shown(service)
        assert found.keys() == {LEARNED, *LINES}
        assert sum(found.values()) == 2 * len(LINES)


async def test_a_pattern_can_be_kept_out(tmp_path: Path) -> None:
    async with harness(PIPELINE + f'exclude_patterns = ["{LEARNED}"]\n', data_dir=tmp_path) as service:
        await service.post(*LINES, *[f"removing {name} now" for name in NAMES])
        found = await shown(service)
        assert found == {**dict.fromkeys(LINES, 1), "removing {VAR} now": len(NAMES)}


async def test_a_learned_pattern_can_be_split_back(tmp_path: Path) -> None:
    async with harness(PIPELINE, data_dir=tmp_path) as service:
        await service.post(*LINES)
        await service.flush()
        before = aliases(service)
    assert before
    async with harness(PIPELINE + f'exclude_patterns = ["{LEARNED}"]\n', data_dir=tmp_path) as service:
        await service.post(*LINES)
        assert await service.counts() == dict.fromkeys(LINES, 1)
        resolved = resolve_aliases([*before, *aliases(service)])
    for alias in before:
        assert resolved[alias.old_id].final_id == alias.old_id


def test_a_record_without_a_pattern_is_learned_from_its_message() -> None:
    plugin = Templates(TemplatesConfig())
    records = [Record(line, "INFO", "web", 0, {}) for line in LINES]
    run_stage(plugin, records)
    run_stage(plugin, records[:1])
    assert records[-1].pattern == LEARNED
