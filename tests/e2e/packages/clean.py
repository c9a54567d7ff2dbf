"""A clean virtual environment with the built wheels of the core and plugins: what a stranger has after pip install."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = sorted(f"packages/{path.parent.name}" for path in ROOT.glob("packages/*/pyproject.toml"))
PLUGINS = sorted(f"plugins/{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml"))
PROJECTS = ("core", *PACKAGES, *PLUGINS)
"""Every distribution of the workspace."""


class CleanEnvironment:
    """Nothing of the workspace is in it: no editable package, no path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "venv" / "bin"

    def run(self, *command: str | Path, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
        """Run a program of the environment; its output. Fails the test with it when the exit code is not 0."""
        program, *arguments = map(str, command)
        inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        done = subprocess.run(
            [str(self.programs / program) if (self.programs / program).exists() else program, *arguments],
            cwd=cwd,
            env={**inherited, **pip, "PATH": path, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
        return done.stdout

    def install(self, *arguments: str | Path, cwd: Path | None = None) -> None:
        """`pip install`; the versions are those of the workspace."""
        constraints = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        with (self.directory / "pip.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.run("pip", "install", "--quiet", *arguments, cwd=cwd or self.directory, environ=constraints)

    def build(self) -> None:
        """Make the environment: wheels of the projects, then everything into a new venv."""
        wheels = self.directory / "wheels"
        copies = [self.directory / "sources" / project for project in PROJECTS]
        for project, copy in zip(PROJECTS, copies, strict=True):
            ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "tests")
            shutil.copytree(ROOT / project, copy, ignore=ignored)
        wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*wheel, "--wheel-dir", str(wheels), *map(str, copies)], check=True, timeout=240)
        made = subprocess.run([ROOT / "tools" / "make-venv", self.directory / "venv"], check=False, timeout=280)
        if made.returncode:
            pytest.skip("this machine makes no virtual environments: see tools/make-venv")
        self.install("--no-compile", *sorted(wheels.iterdir()), "setuptools", "pytest", "hypothesis")


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """One environment for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    environment = CleanEnvironment(shared / "clean-environment")
    environment.directory.mkdir(exist_ok=True)
    with (environment.directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (environment.directory / "ready").exists():
            environment.build()
            (environment.directory / "ready").touch()
    return environment
