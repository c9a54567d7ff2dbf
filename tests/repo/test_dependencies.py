"""The page on runtime dependencies names each of them; the page on protocols names the clients that are installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECTS = [path for place in ("core", "packages/*", "plugins/*") for path in ROOT.glob(f"{place}/pyproject.toml")]
DECISION = (ROOT / "docs/decisions/0001-runtime-dependencies.md").read_text(encoding="utf-8")
PROTOCOLS = (ROOT / "docs/reference/protocols.md").read_text(encoding="utf-8")
CORE = {"aiohttp", "msgspec", "pluggy", "pydantic"}
"""What plugins may name again, because they import it, without a reason of their own."""


def rows(text: str, columns: int) -> list[list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    return [row for row in cells if len(row) == columns]


def dependencies(project: Path) -> set[str]:
    told = tomllib.loads(project.read_text())["project"].get("dependencies", [])
    return {name for text in told if not (name := Requirement(text).name).startswith("log-aggregator")}


REASONS, KEEPERS = DECISION.split("## Who keeps it")


@pytest.mark.parametrize("project", sorted(PROJECTS), ids=lambda path: path.parent.name)
def test_every_dependency_has_a_reason(project: Path) -> None:
    name = project.parent.name
    given = {one for row in rows(REASONS, 3) if row[0] == name for one in row[1].split(", ")} - {"–"}
    needed = dependencies(project)
    assert given <= needed, "a reason for what is no dependency"
    assert needed - given <= (set() if name == "core" else CORE)
    assert re.search(rf"\b{name}\b", DECISION), "the page does not name it"


def test_every_dependency_has_a_keeper_and_no_other() -> None:
    assert {row[0] for row in rows(KEEPERS, 3)} - {"dependency"} == set().union(*map(dependencies, PROJECTS))


def test_the_page_of_protocols_names_the_clients_and_versions_that_are_installed() -> None:
    first = (ROOT / "tests/clients/requirements.txt").read_text().split("\n\n")[0]
    clients = dict(line.split("==") for line in first.splitlines() if not line.startswith("#"))
    assert len(clients) > 10
    for name, version in clients.items():
        found = [row for row in rows(PROTOCOLS, 4) if re.match(rf"{name}\b", row[1])]
        assert found, f"{name}: not in docs/reference/protocols.md"
        assert all(row[2] == version for row in found), f"{name}: expected version {version}"
