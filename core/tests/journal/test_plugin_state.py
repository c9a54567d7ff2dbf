"""What plugins keep in the journal."""

from __future__ import annotations

from pathlib import Path

from log_aggregator.journal import PluginState, sqlite_journal


async def test_state_is_kept_by_plugin_and_name_and_survives_a_restart(tmp_path: Path) -> None:
    for kept in (None, b"new"):
        async with sqlite_journal(tmp_path, 10) as journal:
            state = PluginState(journal, "trends", "profile")
            assert await state.load() == kept
            await state.save(b"old")
            await state.save(bytearray(b"new"))
            await PluginState(journal, "trends", "other").save(b"")
            await PluginState(journal, "else", "profile").save(b"else")
            assert await state.load() == b"new"
            assert await PluginState(journal, "trends", "other").load() == b""
