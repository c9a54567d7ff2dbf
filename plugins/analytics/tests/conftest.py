"""The service that the tests of this plugin send through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from plugins.analytics.tests.flow import Flow, flowing

StartFlow = Callable[..., AbstractAsyncContextManager[Flow]]


@pytest.fixture
def start_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartFlow:
    """`async with start_flow(url, 'option = 1')`: again on the same data when called again."""
    monkeypatch.setattr("log_aggregator.delivery.lane.LONGEST_PAUSE", 0.2)

    def start(url: str, options: str = "", required: str = "false") -> AbstractAsyncContextManager[Flow]:
        return flowing(tmp_path, url, "sqlite]", options, required)

    return start
