"""Marks the tests of this directory: `make test-faults` runs them, and `make chaos` those that take minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all but the long forms, and those with several nodes, which are a group of their own."""
    for item in items:
        apart = item.get_closest_marker("chaos") or item.get_closest_marker("cluster")
        if item.path.is_relative_to(HERE) and apart is None:
            item.add_marker(pytest.mark.faults)
