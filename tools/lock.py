"""Writes the lock files: every version that runs, with the hashes of all its files, so that pip takes nothing else.

`python tools/lock.py` writes both; it needs pip-tools, and the index that pip is configured with. Versions are those of
constraints.txt. No file names an index.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST = ("core", "packages/client", "packages/reader", "packages/service")

HEAD = """# What {what} needs, with hashes. Written by `make lock`; do not edit.
#   pip install --require-hashes -r {name}
#   pip install --no-build-isolation --no-deps {projects}
"""


def pipeline_projects() -> list[str]:
    """The directories of what the image runs: the service and the plugins of plugins.toml."""
    text = (ROOT / "plugins.toml").read_text(encoding="utf-8")
    return [*FIRST, *(f"plugins/{name}" for name in re.findall(r"^\[plugins\.([a-z0-9_-]+)\]", text, re.MULTILINE))]


def all_projects() -> list[str]:
    """The same with every plugin."""
    return [*FIRST, *sorted(str(path.parent.relative_to(ROOT)) for path in ROOT.glob("plugins/*/pyproject.toml"))]


LOCKS = {
    "requirements.lock": ("the service with the plugins of plugins.toml", pipeline_projects),
    "requirements-all.lock": ("the service with all plugins", all_projects),
}


def needed(projects: Iterable[str]) -> Iterator[str]:
    """The requirements of projects that are not ours, and what builds ours."""
    yield "setuptools"
    for project in projects:
        document = tomllib.loads((ROOT / project / "pyproject.toml").read_text(encoding="utf-8"))
        for requirement in document["project"].get("dependencies", []):
            if not requirement.startswith("log-aggregator"):
                yield requirement


def write(name: str) -> None:
    """Write one of the lock files. Raises `subprocess.CalledProcessError`."""
    what, projects = LOCKS[name]
    with tempfile.TemporaryDirectory() as directory:
        wanted = Path(directory) / "wanted.in"
        wanted.write_text("\n".join(sorted(set(needed(projects())))) + "\n")
        found = Path(directory) / "found.txt"
        command = [
            sys.executable, "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe",
            "--strip-extras", "--no-header", "--no-annotate", "--constraint", str(ROOT / "constraints.txt"),
            "--output-file", str(found), str(wanted),
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own arguments
        # Options, which pip-tools writes too, would name the index of this machine.
        lines = [line for line in found.read_text().splitlines() if line and not line.startswith(("#", "--"))]
    shown = " ".join(f"./{one}" for one in FIRST) + " ./plugins/…"
    (ROOT / name).write_text(HEAD.format(what=what, name=name, projects=shown) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    for lock in LOCKS:
        write(lock)
