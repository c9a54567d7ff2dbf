"""Each distribution installed alone, our wheels coming from one directory: what it brings, and that it works.

Packages of others are installed beforehand, and pip asks no index: whatever of ours is not in the directory, or
is not ours, such as `log-aggregator` on PyPI, makes the installation fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.packages.clean import PLUGINS, ROOT, CleanEnvironment, made_once

FOUND = """
import importlib.metadata, json
names = {found.name.lower().replace("_", "-") for found in importlib.metadata.distributions()}
points = importlib.metadata.entry_points(group="log_aggregator.plugins")
ours = sorted(name for name in names if name.startswith("log-aggregator"))
print(json.dumps([ours, [point.name for point in points]]))
for point in points:
    assert isinstance(point.load(), type), point
"""
PYPROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "log-aggregator-astray"
version = "0.1.0"
dependencies = ["log-aggregator"]
"""

# What the plugins may bring of ours beside the core: libraries that several packages stand on, and the protocol inside.
BROUGHT = {"files": ["reader"], "logplex": ["syslog"]}

Alone = Callable[[str], CleanEnvironment]


@pytest.fixture(scope="session")
def emptied(shared: Path) -> CleanEnvironment:
    """An environment with everything that our distributions need of others, and nothing of ours."""
    environment = CleanEnvironment(shared / "index-environment")
    with made_once(environment.directory) as missing:
        if missing:
            environment.make("setuptools")
    return environment


@pytest.fixture
def alone(emptied: CleanEnvironment, wheels: Path) -> Iterator[Alone]:
    """Install one distribution by its name into the emptied environment; it is emptied again afterwards."""
    with (emptied.directory / "alone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def install(name: str) -> CleanEnvironment:
            emptied.install("--no-compile", "--no-index", "--no-build-isolation", "--find-links", wheels, name)
            return emptied

        assert emptied.ours() == []
        with contextlib.ExitStack() as stack:
            stack.callback(emptied.empty)
            yield install


def found(environment: CleanEnvironment) -> tuple[list[str], list[str]]:
    """Our distributions that are there, and the names of plugins, each of which loads."""
    ours, points = json.loads(environment.run("python", "-c", FOUND, cwd=environment.directory))
    return ours, points


def declared(plugin: str) -> list[str]:
    """The names of plugins that the distribution declares: as a rule its own, and nothing else."""
    project = tomllib.loads((ROOT / f"plugins/{plugin}/pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["entry-points"].get("log_aggregator.plugins", {}))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_brings_the_core_and_no_other_plugin(alone: Alone, name: str) -> None:
    ours, points = found(alone(f"log-aggregator-{name}"))
    brought = BROUGHT.get(name, [])
    assert ours == sorted(f"log-aggregator-{one}" for one in ("core", name, *brought))
    assert sorted(points) == sorted(point for one in {name, *brought} & {*PLUGINS} for point in declared(one))


@pytest.mark.slow
def test_the_service_brings_a_command_that_works(alone: Alone, tmp_path: Path) -> None:
    environment = alone("log-aggregator-service")
    pipeline = (ROOT / "plugins.toml").read_text()
    (tmp_path / "plugins.toml").write_text(pipeline)
    assert "good. The pipeline" in environment.run("log-aggregator", "check", cwd=tmp_path)
    (tmp_path / "app.log").write_text("User 123 logged in\n")
    assert "User {ID} logged in" in environment.run("log-aggregator", "patterns", "app.log", cwd=tmp_path)
    ours, points = found(environment)
    assert "log-aggregator-dev" not in ours
    assert all(f"[plugins.{name}]" in pipeline for name in points)


@pytest.mark.slow
def test_the_client_is_alone(alone: Alone, tmp_path: Path) -> None:
    environment = alone("log-aggregator-client")
    assert found(environment) == (["log-aggregator-client"], [])
    environment.run("python", "-c", "from log_aggregator_client import LogAggregatorHandler", cwd=tmp_path)


@pytest.mark.slow
def test_the_core_alone_says_where_other_commands_are(alone: Alone, tmp_path: Path) -> None:
    environment = alone("log-aggregator-core")
    for name, distribution in {"new": "log-aggregator-dev", "send": "log-aggregator-service"}.items():
        script = f"log-aggregator {name} 2>&1 || true"
        said = environment.run("sh", "-c", script, cwd=tmp_path)
        assert said == (
            f"log-aggregator: {name}: no such command; it comes with {distribution}: pip install {distribution}\n"
        )


@pytest.mark.slow
def test_the_kit_makes_a_package_whose_tests_pass_beside_the_core(alone: Alone, tmp_path: Path) -> None:
    environment = alone("log-aggregator-dev")
    assert found(environment)[0] == ["log-aggregator-core", "log-aggregator-dev"]
    environment.run("log-aggregator", "new", "stage", "made", cwd=tmp_path)
    package = tmp_path / "log-aggregator-made"
    environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package, environ={"PYTHONPATH": "src"}
    )


@pytest.mark.slow
def test_a_dependency_on_a_stranger_is_noticed(alone: Alone, tmp_path: Path) -> None:
    """Such a package as no project of ours may be cannot be installed here."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    with pytest.raises(AssertionError, match="No matching distribution found for log-aggregator"):
        alone(str(tmp_path))
