"""The fixtures that pytest finds by itself once log-aggregator-dev is installed: `harness` and the factories."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from log_aggregator.model.aggregate import Aggregate, Flush
    from log_aggregator.model.record import Record
    from log_aggregator_dev.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Harness]]:
    """`log_aggregator_dev.harness`, with a data directory of this test."""
    from functools import partial  # noqa: PLC0415  a test run that uses no fixture of ours imports nothing of ours

    from log_aggregator_dev.harness import harness as run  # noqa: PLC0415  likewise

    return partial(run, data_dir=tmp_path / "data")


@pytest.fixture
def make_record() -> Callable[..., Record]:
    """`log_aggregator_dev.make_record`."""
    from log_aggregator_dev import factories  # noqa: PLC0415  likewise

    return factories.make_record


@pytest.fixture
def make_aggregate() -> Callable[..., Aggregate]:
    """`log_aggregator_dev.make_aggregate`."""
    from log_aggregator_dev import factories  # noqa: PLC0415  likewise

    return factories.make_aggregate


@pytest.fixture
def make_flush() -> Callable[..., Flush]:
    """`log_aggregator_dev.make_flush`."""
    from log_aggregator_dev import factories  # noqa: PLC0415  likewise

    return factories.make_flush
