"""The lock files hold every version of constraints.txt that runs, with hashes, and name no index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lock

ROOT = Path(__file__).parents[2]
PINS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
)


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)(?: ; .+)? \\$", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", list(lock.LOCKS))
def test_every_line_is_a_version_of_the_constraints_with_hashes(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[a-z0-9.-]+==\S+(?: ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
    found = locked(name)
    assert len(found) > 20
    assert {package: PINS.get(package) for package in found} == found
    assert sum("--hash" in line for line in lines) >= 2 * len(found)


@pytest.mark.parametrize("name", list(lock.LOCKS))
def test_every_dependency_of_the_projects_is_locked(name: str) -> None:
    wanted = {canonicalize_name(Requirement(one).name) for one in lock.needed(lock.LOCKS[name][1]())}
    assert wanted <= locked(name).keys()
