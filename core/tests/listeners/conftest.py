"""Every test of a listener runs on both event loops: asyncio's and the one that the service takes where it can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """For the tests of this directory: pytest asks the nearest conftest of each."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
