"""Clean virtual environments and the built wheels of all our distributions: what a stranger has after pip install."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
PROJECTS = ("core", *(f"packages/{name}" for name in PACKAGES), *(f"plugins/{name}" for name in PLUGINS))
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

    def make(self) -> None:
        """Make the environment, with pip alone in it."""
        made = subprocess.run([ROOT / "tools" / "make-venv", self.directory / "venv"], check=False, timeout=280)
        if made.returncode:
            pytest.skip("this machine makes no virtual environments: see tools/make-venv")


def build_wheels(directory: Path) -> None:
    """Build a wheel of every project into `directory`/wheels."""
    copies = [directory / "sources" / project for project in PROJECTS]
    for project, copy in zip(PROJECTS, copies, strict=True):
        ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "tests")
        shutil.copytree(ROOT / project, copy, ignore=ignored)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--wheel-dir", str(directory / "wheels"), *map(str, copies)], check=True, timeout=240)


@contextlib.contextmanager
def made_once(directory: Path) -> Iterator[bool]:
    """Whether the caller has to make what `directory` holds: of all workers only the first one has."""
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = directory / "ready"
        yield not ready.exists()
        ready.touch()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A directory that all workers of a test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session")
def wheels(shared: Path) -> Path:
    """A directory with a wheel of each of our distributions, and of no other."""
    directory = shared / "built"
    with made_once(directory) as missing:
        if missing:
            build_wheels(directory)
    return directory / "wheels"


@pytest.fixture(scope="session")
def clean(shared: Path, wheels: Path) -> CleanEnvironment:
    """One environment for all workers of a test run, with everything in it."""
    environment = CleanEnvironment(shared / "clean-environment")
    with made_once(environment.directory) as missing:
        if missing:
            environment.make()
            environment.install("--no-compile", *sorted(wheels.iterdir()), "setuptools", "pytest", "hypothesis")
    return environment
