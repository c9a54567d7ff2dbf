"""Clean virtual environments and the built wheels of all our distributions: what a stranger has after pip install.

What is of others is copied from the environment of the tests: of that, only what our distributions say they need.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
PACKAGES = sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))
PROJECTS = ("core", *(f"packages/{name}" for name in PACKAGES), *(f"plugins/{name}" for name in PLUGINS))
"""Every distribution of the workspace."""

OURS = [f"log-aggregator-{name}" for name in ("core", *PACKAGES, *PLUGINS)]

BUILD = """
import os, sys
from setuptools import build_meta
for project in sys.argv[2:]:
    child = os.fork()
    if not child:
        os.chdir(project)
        build_meta.build_wheel(sys.argv[1])
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{project}: no wheel")
"""
"""The backend is imported once for all projects, which takes longer than to build a wheel."""


class CleanEnvironment:
    """Nothing of the workspace is in it: no editable package, no path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "venv" / "bin"
        self.site = directory / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"

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

    def make(self, *more: str) -> None:
        """Make the environment: pip, what our distributions need of others, and `more` with what that needs."""
        venv.EnvBuilder(symlinks=True).create(self.directory / "venv")
        for name in needed("pip", *OURS, *more) - set(OURS):
            self._copy(importlib.metadata.distribution(name))

    def _copy(self, distribution: importlib.metadata.Distribution) -> None:
        for file in distribution.files or []:
            if file.parts[0] != "..":
                (self.site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file.locate(), self.site / file)  # its time too, else what is compiled is compiled again
        for point in distribution.entry_points.select(group="console_scripts"):
            program = self.programs / point.name
            called = f"import sys\nfrom {point.module} import {point.attr}\nsys.exit({point.attr}())\n"
            program.write_text(f"#!{self.programs / 'python'}\n{called}")
            program.chmod(0o755)

    def ours(self) -> list[importlib.metadata.Distribution]:
        """Which distributions of ours are installed."""
        there = importlib.metadata.distributions(path=[str(self.site)])
        return [one for one in there if canonicalize_name(one.metadata["Name"]).startswith("log-aggregator")]

    def empty(self) -> None:
        """Remove all that is ours, compiled files included."""
        for one in self.ours():
            for name in {file.parts[0] for file in one.files or []} - {".."}:
                shutil.rmtree(self.site / name)


def needed(*names: str) -> set[str]:
    """The distributions and all that they need, and that needs, in turn."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        name = canonicalize_name(name)
        if (name, extra) not in found:
            found.add((name, extra))
            for one in map(Requirement, importlib.metadata.requires(name) or []):
                if one.marker is None or one.marker.evaluate({"extra": extra}):
                    waiting += [(one.name, wanted) for wanted in ("", *one.extras)]
    return {name for name, _ in found}


def build_wheels(directory: Path) -> None:
    """Build a wheel of every project into `directory`/wheels."""
    copies = [directory / "sources" / project for project in PROJECTS]
    for project, copy in zip(PROJECTS, copies, strict=True):
        ignored = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "tests")
        shutil.copytree(ROOT / project, copy, ignore=ignored)
    (directory / "wheels").mkdir()
    build = [sys.executable, "-c", BUILD, directory / "wheels", *copies]
    done = subprocess.run(build, check=False, timeout=240, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


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
            environment.make("setuptools", "pytest", "hypothesis")
            environment.install("--no-compile", "--no-index", *sorted(wheels.iterdir()))
    return environment
