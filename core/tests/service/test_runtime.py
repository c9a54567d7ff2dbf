"""All parts of a process are there at once, and its directory is free again afterwards."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from core.tests.made import PlainRegistry, Store, make_plugin
from log_aggregator import ConfigError
from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.journal.database import OpenJournal, open_journal
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.runtime import Runtime, open_runtime


@pytest.fixture
def registry(store: Store) -> Registry:
    return PlainRegistry(make_plugin(store, "store"))  # type: ignore[return-value]  # the part of it that is used


async def test_a_runtime_is_complete_and_does_not_change(tmp_path: Path, registry: Registry) -> None:
    async with open_runtime(Settings(data_dir=tmp_path), registry, Place()) as runtime:
        assert all(getattr(runtime, field.name) is not None for field in fields(Runtime))
        assert [lane.name for lane in runtime.lanes] == ["store"]
        with pytest.raises(FrozenInstanceError):
            runtime.instance = ""  # type: ignore[misc]  # that it cannot is what is tested


async def test_a_worker_has_a_directory_of_its_own(tmp_path: Path, registry: Registry) -> None:
    async with open_runtime(Settings(data_dir=tmp_path), registry, Place(2, 3)) as runtime:
        assert (runtime.settings.data_dir, runtime.shared_dir) == (tmp_path / "worker-2", tmp_path)


async def test_a_directory_has_one_runtime_at_a_time(tmp_path: Path, registry: Registry) -> None:
    settings = Settings(data_dir=tmp_path)
    async with open_runtime(settings, registry, Place()) as first:
        with pytest.raises(ConfigError):
            async with open_runtime(settings, registry, Place()):
                pass
    async with open_runtime(settings, registry, Place()) as second:
        assert second.instance == first.instance


async def test_an_error_inside_closes_the_journal(tmp_path: Path, registry: Registry) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(KeyError):
        async with open_runtime(settings, registry, Place()):
            raise KeyError
    async with open_runtime(settings, registry, Place()):
        pass


async def test_cancelled_while_the_journal_is_opened_it_leaves_no_lock(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, opens, go_on = Settings(data_dir=tmp_path), threading.Event(), threading.Event()
    opened: list[OpenJournal] = []

    def slowly(directory: Path) -> OpenJournal:
        opens.set()
        assert go_on.wait(60)
        opened.append(open_journal(directory))
        return opened[0]

    async def start() -> None:
        async with open_runtime(settings, registry, Place()):
            pass

    with monkeypatch.context() as patched:
        patched.setattr("log_aggregator.journal.local.open_journal", slowly)
        starting = asyncio.create_task(start())
        assert await asyncio.to_thread(opens.wait, 60)
        starting.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert opened[0].lock.closed
    async with open_runtime(settings, registry, Place()):
        pass
