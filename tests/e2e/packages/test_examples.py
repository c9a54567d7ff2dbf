"""The example packages: installed by pip into a clean environment, their own tests pass there, and they work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT, CleanEnvironment

EXAMPLES = {
    "nginx": "[plugins.nginx]\n[plugins.patterns]\n",
    "webhook": '[plugins.webhook]\nurl = "http://127.0.0.1:9/"\n',
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_installed_and_tested(clean: CleanEnvironment, tmp_path: Path, name: str) -> None:
    package = tmp_path / name
    shutil.copytree(
        ROOT / "examples" / name, package, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__")
    )
    clean.install("--no-deps", "--no-build-isolation", str(package))
    assert "passed" in clean.run("pytest", "-q", "-p", "no:cacheprovider", cwd=package)
    (package / "plugins.toml").write_text(EXAMPLES[name])
    assert f"log-aggregator-{name} 0.1.0" in clean.run("log-aggregator", "plugins", cwd=package)
    assert "good. The pipeline" in clean.run("log-aggregator", "check", cwd=package)


def test_every_example_is_tried() -> None:
    assert {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()} == set(EXAMPLES)
