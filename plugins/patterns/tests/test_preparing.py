"""How the rules become ready for outlines: in a thread while a service runs, else in the calls themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

from log_aggregator import Record
from log_aggregator_dev import run_stage
from log_aggregator_dev.host import Host
from log_aggregator_patterns import Patterns, PatternsConfig

WAIT = 60.0


def send(plugin: Patterns, number: int) -> str:
    """Send a line with an id that no line before had; its pattern."""
    record = Record(
        f"lease {number & 0xFFFFFFFF:08x}-aaaa-bbbb-cccc-{number & 0xFFFFFFFFFFFF:012x} expired", "INFO", "web", 0, {}
    )
    run_stage(plugin, [record])
    return record.pattern


def test_in_a_service_a_thread_makes_them_ready_when_a_shape_is_new(tmp_path: Path) -> None:
    plugin = Patterns(PatternsConfig())

    async def scenario() -> None:
        host = Host(tmp_path)
        async with plugin.lifespan(host):
            host.receivers.start()
            await asyncio.sleep(0)
            assert not plugin._memo.is_ready
            async with asyncio.timeout(WAIT):
                number = 0
                while not plugin._memo.is_ready:
                    number += 1
                    assert send(plugin, number * 0x9E3779B1) == "lease {UUID} expired"
                    await asyncio.sleep(0)
            await host.receivers.stop()

    asyncio.run(scenario())


def test_without_a_service_each_call_with_a_new_shape_makes_some_ready() -> None:
    plugin = Patterns(PatternsConfig())
    for number in range(1, 1000):
        assert send(plugin, number * 0x9E3779B1) == "lease {UUID} expired"
        if plugin._memo.is_ready:
            break
    assert plugin._memo.is_ready
