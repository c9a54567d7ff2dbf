"""Whether packages can be had from here: asked once, with one that is pinned and installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


@pytest.fixture(scope="session")
def package_registry(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where pip reaches no registry."""
    target = tmp_path_factory.mktemp("registry")
    ask = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--retries=1"]
    named = ["--constraint", str(CONSTRAINTS), "--target", str(target), "pluggy"]
    if subprocess.run([*ask, *named], capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("pip reaches no package registry from here")
