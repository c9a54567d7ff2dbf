"""The service through which the tests of this plugin send."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from plugins.analytics.tests.forwarding import Forwarding, run_forwarding

StartForwarding = Callable[..., AbstractAsyncContextManager[Forwarding]]


@pytest.fixture
def start_forwarding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartForwarding:
    """`async with start_forwarding(url, 'option = 1')`: every call uses the same data directory."""
    monkeypatch.setattr("log_aggregator.delivery.lane.LONGEST_PAUSE", 0.2)

    def start(url: str, options: str = "", required: str = "false") -> AbstractAsyncContextManager[Forwarding]:
        return run_forwarding(tmp_path, url, "sqlite]", options, required)

    return start
