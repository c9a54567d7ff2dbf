"""What the core's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.tests.made import PlainRegistry, Store, make_plugin
from log_aggregator import Record
from log_aggregator.config.settings import Settings
from log_aggregator.service.reloads import Reloads
from log_aggregator.service.service import Service

NOW = 1_800_000_000_000_000


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(
        message: str = "hello", level: str = "INFO", source: str = "app", timestamp: int = NOW, **more: Any
    ) -> Record:
        return Record(message, level, source, timestamp, more.pop("metadata", {}), **more)

    return make


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def start(tmp_path: Path, store: Store) -> Callable[..., Any]:
    def make(*others: Any, reloads: Reloads | None = None, **settings: Any) -> Service:
        plugins = [make_plugin(other, f"other{index}") for index, other in enumerate(others)]
        registry = PlainRegistry(*plugins, make_plugin(store, "store"))
        given = Settings(data_dir=tmp_path / "data", **settings)
        return Service(given, registry, reloads=reloads)  # type: ignore[arg-type]

    return make
