"""What plugins keep in the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from log_aggregator.journal import PluginState, Writer, open_journal


async def test_state_is_kept_by_plugin_and_name_and_survives_a_restart(tmp_path: Path) -> None:
    for kept in (None, b"new"):
        journal = open_journal(tmp_path)
        writer = Writer(journal.connection)
        state = PluginState(writer, "trends", "profile")
        assert await state.load() == kept
        await state.save(b"old")
        await state.save(bytearray(b"new"))
        await PluginState(writer, "trends", "other").save(b"")
        await PluginState(writer, "else", "profile").save(b"else")
        assert await state.load() == b"new"
        assert await PluginState(writer, "trends", "other").load() == b""
        await asyncio.to_thread(writer.close)
        journal.lock.close()
