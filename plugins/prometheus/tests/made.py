"""Figures as `service.stats()` gives them, from a real service in this process."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import Settings
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service

DOCS = Path(__file__).parents[3] / "docs/how-to"
NOW = 1_800_000_000_000_000

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here, which `.ci/run` installs: apt-get install prometheus"
)
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="no prometheus here, which `.ci/run` installs: apt-get install prometheus",
)


@asynccontextmanager
async def running(directory: Path, pipeline: str = "[plugins.sqlite]") -> AsyncIterator[Service]:
    settings = Settings(data_dir=directory / "data", shutdown_timeout=5)
    async with Service(settings, Registry(parse_plugins(pipeline), {})) as service:
        yield service


def samples(metrics: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name, sorted labels) → value."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in metrics
        for sample in metric.samples
    }
