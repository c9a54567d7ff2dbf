"""Prints constraints with the lowest versions that the metadata allows: `python tools/lowest_versions.py PROJECT …`.

A dependency of several projects gets the highest of their lower bounds. The tools of the tests are pinned as ever;
what the dependencies need themselves is left to pip.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def lowest(projects: Iterable[Path]) -> dict[str, Version]:
    """The lowest version of each dependency that is not ours. Raises `ValueError` when one has no lower bound."""
    found: dict[str, Version] = {}
    for project in projects:
        text = (project / "pyproject.toml").read_text(encoding="utf-8")
        for requirement in map(Requirement, tomllib.loads(text)["project"].get("dependencies", [])):
            name = canonicalize_name(requirement.name)
            if name.startswith("log-aggregator"):
                continue
            bounds = [Version(part.version) for part in requirement.specifier if part.operator in {">=", "==", "~="}]
            if not bounds:
                raise ValueError(f"{project.name}/pyproject.toml: {requirement}: no lower bound; expected {name}>=X")
            found[name] = max(*bounds, found.get(name, bounds[0]))
    return found


def tools() -> dict[str, str]:
    """The pins of what tests/requirements.txt names."""
    lines = (ROOT / "tests/requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = {canonicalize_name(line) for line in lines if line and not line.startswith("#")}
    pins = (line.partition("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    return {name: version for name, _, version in pins if name in wanted}


def main(names: list[str]) -> int:
    """Print the constraints for the named projects."""
    found = {**tools(), **{name: str(version) for name, version in lowest(ROOT / name for name in names).items()}}
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in sorted(found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
