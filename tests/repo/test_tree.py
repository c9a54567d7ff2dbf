"""What must not be in the tree, and what must be in the constraints: versions, wheels, nothing of one machine."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(
    [ROOT / "core/pyproject.toml", *ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")]
)
PLATFORMS = {
    "x86_64": ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"],
    "aarch64": ["manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"],
}
"""What Debian 12 (glibc 2.36) takes."""


def pins() -> dict[str, str]:
    found = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            found[canonicalize_name(name)] = version
    return found


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def own() -> set[str]:
    return {tomllib.loads(path.read_text())["project"]["name"] for path in PROJECTS}


def test_constraints_pin_exact_versions_and_nothing_else():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_dependency_is_pinned(project):
    told = tomllib.loads(project.read_text())
    wanted = names(told["project"].get("dependencies", [])) | names(told["build-system"]["requires"])
    for extra in told["project"].get("optional-dependencies", {}).values():
        wanted |= names(extra)
    assert wanted - own() <= set(pins())


def test_everything_the_tests_need_is_pinned():
    lines = (ROOT / "tests/requirements.txt").read_text().splitlines()
    assert names([line for line in lines if line and not line.startswith("#")]) <= set(pins())


def test_the_licenses_agree():
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    for path in PROJECTS:
        project = tomllib.loads(path.read_text())["project"]
        assert project["license"] == "Apache-2.0", path
        assert project["requires-python"] == ">=3.11", path


def runtime() -> dict[str, str]:
    """The pins of everything that the core and the plugins need to run, theirs included."""
    environment = {**default_environment(), "extra": ""}
    needed: set[str] = set()
    waiting = sorted(own())
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in needed:
            continue
        needed.add(name)
        for text in importlib.metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                waiting.append(requirement.name)
    known = pins()
    return {name: known[name] for name in sorted(needed - own())}


def test_the_service_brings_the_plugins_of_the_pipeline():
    told = names(tomllib.loads((ROOT / "packages/service/pyproject.toml").read_text())["project"]["dependencies"])
    pipeline = tomllib.loads((ROOT / "plugins.toml").read_text())["plugins"]
    plugins = {f"log-aggregator-{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml")}
    assert told & plugins == {f"log-aggregator-{name}" for name in pipeline}


def install(platform: str, target: Path, wanted: dict[str, str]) -> subprocess.CompletedProcess[str]:
    tags = [argument for tag in PLATFORMS[platform] for argument in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--only-binary=:all:", "--retries=1"]
    where = ["--python-version=3.11", "--implementation=cp", f"--target={target}", "--ignore-installed"]
    exact = [f"{name}=={version}" for name, version in wanted.items()]
    return subprocess.run([*command, *where, *tags, *exact], capture_output=True, text=True, timeout=240, check=False)


def came_as_a_wheel(name: str, platform: str) -> bool:
    """Whether what is installed is such a wheel already: one for every platform, or one that was not built here."""
    told = importlib.metadata.distribution(name).read_text("WHEEL") or ""
    return re.search(rf"^Tag: \S+-(?:none-any|manylinux\w+_{platform})$", told, re.MULTILINE) is not None


@pytest.mark.usefixtures("package_registry")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_everything_that_runs_comes_as_a_wheel(platform, tmp_path):
    """The registry is only asked for what the environment does not show."""
    needed = runtime()
    assert {"aiohttp", "msgspec", "pydantic-core"} <= set(needed)
    asked = {name: version for name, version in needed.items() if not came_as_a_wheel(name, platform)}
    if asked:
        done = install(platform, tmp_path, asked)
        assert done.returncode == 0, done.stderr[-2000:]


def test_nothing_of_one_machine_is_in_the_tree():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nobody can say which files belong to the tree")
    forbidden = ["index" + "-url", "extra" + "-index", "python" + "hosted.org", f"{ROOT}/"]
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        for word in forbidden:
            assert word not in text, f"{name}: {word}"
