"""`.ci/run` and the hosted workflows: what they run, which failures they try again, and what a release needs."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import lowest_versions, release_version

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github/workflows"
PROJECTS = sorted(
    path for place in ("core", "packages/*", "plugins/*") for path in ROOT.glob(f"{place}/pyproject.toml")
)


def run_ci(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/run with a `make` that does `script`; every call of it is noted in `calls`."""
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}')
    make.chmod(0o755)
    for program in (
        "chromium",
        "npm",
        "promtool",
        "pgbouncer",
        "mosquitto",
        "systemd-journal-upload",
        "strace",
        "strip",
    ):
        (tmp_path / program).symlink_to("/bin/true")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return subprocess.run(
        [str(ROOT / ".ci/run")], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def failing(target: str, tests: int, again: str = "", code: int = 2) -> str:
    """A script: `make target` fails with some tests, and ends as `again` says when it is run for these alone."""
    lines = "\n".join(f'echo "FAILED tests/x.py::test_{number} - late"' for number in range(tests))
    return f"""[ "$1" = test-again ] && {{ echo "===== {again} in 0.02s ====="; exit {code}; }}
[ "$1" = {target} ] || exit 0
{lines}
echo "===== {tests} failed, 9 passed in 0.12s ====="
exit 2
"""


def test_ci_runs_every_group_in_order(tmp_path: Path) -> None:
    done = run_ci(tmp_path, 'echo "===== 2 passed in 0.12s ====="\n')
    assert done.returncode == 0
    called = [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert called == [
        "lint",
        "docs",
        "test",
        "test-e2e",
        "test-browser",
        "test-faults",
        "test-packages",
        "test-clients",
        "test-cluster",
        "chaos",
    ]
    assert done.stdout.splitlines()[-1] == "make test: ===== 2 passed in 0.12s ====="


def test_ci_ends_with_what_pytest_says(tmp_path: Path) -> None:
    said = "===== 3 failed, 1 passed in 0.12s ====="
    failed = "echo FAILED a; echo FAILED b; echo FAILED c"
    done = run_ci(tmp_path, f'[ "$1" = test ] || exit 0\n{failed}\necho "{said}"\necho "make: *** 1" >&2\nexit 2\n')
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == said


@pytest.mark.parametrize("target", ["test", "chaos"])
@pytest.mark.parametrize(("again", "code"), [("2 passed", 0), ("1 failed", 2)])
def test_ci_runs_two_failed_tests_once_more_alone_and_names_them(
    tmp_path: Path, target: str, again: str, code: int
) -> None:
    done = run_ci(tmp_path, failing(target, 2, again, code))
    assert "again, alone: FAILED tests/x.py::test_0" in done.stdout
    assert "again, alone: FAILED tests/x.py::test_1" in done.stdout
    assert "2 failed, 9 passed" in done.stdout
    assert f"===== {again} in 0.02s =====" in (done.stdout.splitlines()[-1] if code else done.stdout)
    assert done.returncode == code


def test_ci_does_not_try_again_when_three_fail(tmp_path: Path) -> None:
    done = run_ci(tmp_path, failing("test", 3, "3 passed", 0))
    assert done.returncode == 2
    assert "again, alone" not in done.stdout
    assert "test-faults" not in (tmp_path / "calls").read_text()


def test_ci_does_not_try_again_when_no_test_ran(tmp_path: Path) -> None:
    """`make test-again` without a failed test would run all of them, one after the other."""
    said = "===== 2 errors in 0.02s ====="
    script = f'echo "ERROR gw0 - Different tests were collected"; echo "ERROR tests/x.py"; echo "{said}"; exit 1\n'
    done = run_ci(tmp_path, f'[ "$1" = test ] || exit 0\n{script}')
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == said
    assert "again, alone" not in done.stdout


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())
    return found


def steps(job: dict[str, Any]) -> str:
    return "\n".join(str(step.get("run") or step.get("uses")) for step in job["steps"])


def test_hosted_ci_runs_the_same_script_and_every_promised_python() -> None:
    jobs = workflow("ci")["jobs"]
    assert ".ci/run" in steps(jobs["check"])
    assert "make test-lowest" in steps(jobs["lowest"])
    assert "make coverage" in steps(jobs["coverage"])
    told = {line for path in PROJECTS for line in tomllib.loads(path.read_text())["project"]["classifiers"]}
    named = {line.rpartition(" ")[2] for line in told if line.startswith("Programming Language :: Python :: 3.")}
    assert set(jobs["python"]["strategy"]["matrix"]["python"]) == named


def test_a_release_is_built_from_its_tag_and_attested_before_it_is_published() -> None:
    release = workflow("release")
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    build = steps(release["jobs"]["build"])
    order = [
        "release_version.py",
        "release.py urls",
        "make release-check",
        "attest-build-provenance",
        "attest-sbom",
        "upload-artifact",
    ]
    assert sorted(order, key=build.index) == order
    assert release["jobs"]["publish"]["needs"] == "build"


def test_all_distributions_have_one_version() -> None:
    assert set(release_version.versions().values()) == {tomllib.loads(PROJECTS[0].read_text())["project"]["version"]}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_distribution_says_for_whom_it_is_and_no_address_that_is_not_there(project: Path) -> None:
    """`tools/release.py urls` writes the addresses of the repository that the release is made from."""
    first, own = (tomllib.loads(path.read_text())["project"] for path in (ROOT / "core/pyproject.toml", project))
    assert "urls" not in own
    assert own["classifiers"] == first["classifiers"]


def test_the_lowest_versions_are_those_of_the_metadata(tmp_path: Path) -> None:
    for name, needed in {"one": '"a>=1.2", "b~=2.0"', "two": '"a>=1.3,<2", "log-aggregator-core"'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(f"[project]\nname = '{name}'\ndependencies = [{needed}]\n")
    found = lowest_versions.lowest([tmp_path / "one", tmp_path / "two"])
    assert {name: str(version) for name, version in found.items()} == {"a": "1.3", "b": "2.0"}
    (tmp_path / "one/pyproject.toml").write_text("[project]\nname = 'one'\ndependencies = ['c']\n")
    with pytest.raises(ValueError, match="c: no lower bound"):
        lowest_versions.lowest([tmp_path / "one"])


def test_every_form_of_an_issue_asks_for_something() -> None:
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form)
            assert any(field.get("validations", {}).get("required") for field in form["body"]), path.name
