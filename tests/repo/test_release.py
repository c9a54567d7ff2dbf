"""What prepares a release: `tools/release.py`, and the index that `make release-check` installs from."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools import local_index, release

ROOT = Path(__file__).parents[2]
PROJECTS = release.projects()
PLUGIN = """[project]
name = "log-aggregator-{name}"
version = "{version}"
dependencies = ["log-aggregator-core{range}", "aiohttp>=3.11"]

[tool.x]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two distributions of version 0.2.0, ready to be released."""
    for place in ("core", "plugins/one"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "core/pyproject.toml").write_text(
        '[project]\nname = "log-aggregator-core"\nversion = "0.2.0"\ndependencies = ["aiohttp"]\n'
    )
    (tmp_path / "plugins/one/pyproject.toml").write_text(PLUGIN.format(name="one", version="0.2.0", range=">=0.2,<0.3"))
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 - 2026-11-30\n\n### Added\n\n- All.\n")
    return tmp_path


def test_nothing_is_said_of_what_is_ready(workspace: Path) -> None:
    assert list(release.problems(workspace)) == []


@pytest.mark.parametrize(
    ("version", "needed", "urls", "said"),
    [
        ("0.1.0", ">=0.2,<0.3", "", "version 0.1.0; expected 0.2.0"),
        ("0.2.0", "", "", "log-aggregator-core; expected log-aggregator-core>=0.2,<0.3"),
        ("0.2.0", ">=0.1,<0.2", "", "expected log-aggregator-core>=0.2,<0.3"),
        ("0.2.0", ">=0.2,<0.3", '[project.urls]\nIssues = "https://a.example.org/x"\n', "is no address"),
    ],
    ids=["version", "no range", "old range", "placeholder"],
)
def test_what_is_not_ready_is_named(workspace: Path, version: str, needed: str, urls: str, said: str) -> None:
    path = workspace / "plugins/one/pyproject.toml"
    path.write_text(PLUGIN.format(name="one", version=version, range=needed) + urls)
    (line,) = release.problems(workspace)
    assert line.startswith("plugins/one/pyproject.toml: ")
    assert said in line


@pytest.mark.parametrize(
    "text", ["## Unreleased\n\n- x\n\n## 0.2.0 - 2026-11-30\n\n- y\n", "## 0.2.0 - 2026-11-30\n", "## 0.1.0\n", ""]
)
def test_an_open_changelog_is_named(workspace: Path, text: str) -> None:
    (workspace / "CHANGELOG.md").write_text(text)
    (line,) = release.problems(workspace)
    assert line.startswith("CHANGELOG.md: ")


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_a_version_is_set_in_the_ranges_too_and_nothing_else_changes(project: Path) -> None:
    before = project.read_text()
    after = release.with_version(before, Version("3.7.1"))
    old, new = (tomllib.loads(text)["project"] for text in (before, after))
    assert new["version"] == "3.7.1"
    ours = [Requirement(one) for one in new["dependencies"] if one.startswith("log-aggregator")]
    assert [sorted(map(str, one.specifier)) for one in ours] == [["<3.8", ">=3.7"]] * len(ours)
    assert [Requirement(one).name for one in old["dependencies"]] == [
        Requirement(one).name for one in new["dependencies"]
    ]
    for document in (old, new):
        document.pop("version")
        document["dependencies"] = [one for one in document["dependencies"] if not one.startswith("log-aggregator")]
    assert old == new


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_addresses_are_those_of_the_repository(project: Path) -> None:
    before = project.read_text()
    once = release.with_urls(before, "https://host.test/owner/name")
    assert once == release.with_urls(
        release.with_urls(before, "https://other.test/a/b"), "https://host.test/owner/name"
    )
    old, new = tomllib.loads(before), tomllib.loads(once)
    urls = new["project"].pop("urls")
    assert set(urls) == {"Homepage", "Documentation", "Changelog", "Source", "Issues"}
    assert all(url.startswith("https://host.test/owner/name") for url in urls.values())
    old["project"].pop("urls", None)
    assert old == new


@pytest.mark.parametrize("arguments", [["set", "two"], ["urls", "http://host/x"], ["urls", "https://host"]])
def test_a_wrong_word_is_told_and_nothing_is_written(arguments: list[str]) -> None:
    script = [sys.executable, str(ROOT / "tools/release.py"), *arguments]
    before = [path.stat().st_mtime_ns for path in PROJECTS]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"release.py {arguments[0]}: " in done.stderr
    assert [path.stat().st_mtime_ns for path in PROJECTS] == before


def test_pip_installs_by_name_from_the_local_index(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "packages/client", source, ignore=shutil.ignore_patterns("tests", "*.egg-info", "build"))
    built = tmp_path / "dist"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    local_index.write(built, tmp_path / "index")
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target",
        str(tmp_path / "site"), "-i", f"file://{tmp_path}/index/simple", "log-aggregator-client",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "site/log_aggregator_client/__init__.py").exists()
