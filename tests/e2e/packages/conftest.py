"""Shares the wheels and the clean environment among the tests of packages, which `make test-packages` runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.packages.clean import clean, shared, wheels
from tests.repo.conftest import package_registry

__all__ = ["clean", "package_registry", "shared", "wheels"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of them. Whichever comes first builds every wheel and installs them with all that they need."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.packages)
            own = item.get_closest_marker("timeout")
            item.add_marker(pytest.mark.timeout(max(900, *own.args) if own else 900))
