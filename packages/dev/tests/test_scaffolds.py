"""What `log-aggregator new` writes: typed strictly, complete, and with no word left to fill in."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from log_aggregator_dev.scaffold import KINDS, Names, files_of, write_package

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_complete(kind: str) -> None:
    files = files_of(kind, Names.of("my-thing"))
    assert {"LICENSE", "README.md", "plugins.toml", "pyproject.toml", ".github/workflows/tests.yml"} <= set(files)
    for path, text in files.items():
        assert "$" not in text.replace("${", "").replace("$`", "") or path.endswith((".yml", ".js")), path
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert {"log-aggregator-plugin", f"log-aggregator-{kind}"} <= set(project["keywords"])
    (group,) = project["entry-points"]
    assert group == ("log_aggregator.commands" if kind == "command" else "log_aggregator.plugins")
    tables = tomllib.loads(files["plugins.toml"])["plugins"]
    assert ("my-thing" in tables) is (kind != "command")


@pytest.mark.slow
def test_every_package_passes_mypy_strict(tmp_path: Path) -> None:
    """One run over all: mypy reads the core once."""
    sources = []
    for kind in KINDS:
        write_package(kind, Names.of(f"made-{kind}"), tmp_path / kind)
        sources.append(str(tmp_path / kind / "src" / f"log_aggregator_made_{kind}"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache'}", *sources],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
