"""Prints the version that all distributions have: `python tools/release_version.py`. Exit code 1 when they differ."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def versions(root: Path = ROOT) -> dict[str, str]:
    """Distribution → version, from every pyproject.toml of the workspace."""
    paths = (path for place in ("core", "packages/*", "plugins/*") for path in root.glob(f"{place}/pyproject.toml"))
    projects = [tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in sorted(paths)]
    return {project["name"]: project["version"] for project in projects}


def main() -> int:
    """Print the version; the exit code."""
    found = versions()
    if len(set(found.values())) != 1:
        sys.stderr.writelines(f"{name}: {version}; expected one version for all\n" for name, version in found.items())
        return 1
    sys.stdout.write(f"{next(iter(found.values()))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
