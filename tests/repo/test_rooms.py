"""The rooms of the house: who may import whom, and how large a file gets."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src/log_aggregator"
PACKAGES = sorted(path.parent for path in ROOT.glob("packages/*/src/*/__init__.py"))
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/src/*/__init__.py"))
SOURCES = [CORE, *PACKAGES, *PLUGINS]
MAX_LINES = 300

ORDER = (
    ("errors",),
    ("model",),
    ("config", "store", "search", "listeners"),
    ("oncall",),
    ("hookspecs", "storekit"),
    ("__init__", "sinks", "receivers"),
    ("plugins", "journal"),
    ("journals",),
    ("delivery", "processing"),
    ("aggregation",),
    ("ingest",),
    ("http",),
    ("service",),
    ("cli",),
    ("__main__",),
)
"""The folders of the core in the order of imports: a module imports only from its own line and those above."""

BESIDE: dict[str, set[str]] = {
    "log_aggregator_client": set(),
    "log_aggregator_dev": {"log_aggregator"},
    "log_aggregator_reader": set(),
    "log_aggregator_service": {"log_aggregator", "log_aggregator_client", "log_aggregator_reader"},
}
"""Which of our packages each of packages/ imports beside itself."""

INNER = {
    "aggregation", "cli", "delivery", "ingest", "journal", "plugins", "processing", "service",
}  # fmt: skip
"""Folders of the core that no plugin imports: they change without notice."""

HOLD_SQL = {"journal", "storekit", "cli"}
"""Folders of the core that may hold an SQL connection; those in `cli` look at files beside the service."""


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path: Path, known: set[str], *, with_types: bool) -> set[str]:
    """Modules that a file imports; of those in `known`, the deepest that the statement names."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not with_types:
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; expected the full name"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                found.add(deeper if deeper in known else str(node.module))
    return found


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


CORE_MODULES = dict(modules(CORE))


@pytest.mark.parametrize("name", CORE_MODULES)
def test_a_room_of_the_core_imports_only_what_lies_before_it(name):
    layer = {one: number for number, names in enumerate(ORDER) for one in names}
    own = room(name)
    assert own in layer, f"{own}: a new room; say in ORDER where it lies"
    for other in imported(CORE_MODULES[name], set(CORE_MODULES), with_types=False):
        if other.split(".")[0] == "log_aggregator":
            assert layer[room(other)] <= layer[own], f"{name} imports {other}, which lies after it"


@pytest.mark.parametrize("package", SOURCES, ids=lambda package: package.name)
def test_no_modules_import_each_other_in_a_circle_not_even_for_types(package):
    known = dict(modules(package))
    graph = {name: imported(path, set(known), with_types=True) & set(known) - {name} for name, path in known.items()}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", CORE_MODULES)
def test_the_core_knows_no_plugin_and_no_package(name):
    for other in imported(CORE_MODULES[name], set(), with_types=True):
        assert not other.startswith("log_aggregator_"), f"{name} imports {other}"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_imports_only_packages_before_it(package):
    for name, path in modules(package):
        for other in imported(path, set(), with_types=True):
            top = other.split(".")[0]
            if top.startswith("log_aggregator") and top != package.name:
                assert top in BESIDE[package.name], f"{name} imports {other}"


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_a_plugin_imports_only_what_is_public(package):
    for name, path in modules(package):
        for other in imported(path, set(CORE_MODULES), with_types=True):
            top = other.split(".")[0]
            if top == "log_aggregator":
                assert room(other) not in INNER, f"{name} imports {other}, an inner room of the core"
                assert not any(part.startswith("_") for part in other.split(".")), f"{name} imports {other}"
            elif top.startswith("log_aggregator_") and top != package.name:
                assert other == top, f"{name} imports {other}, a private module of another plugin"


@pytest.mark.parametrize("name", [name for name in CORE_MODULES if room(name) not in HOLD_SQL])
def test_nothing_outside_the_journal_knows_what_it_keeps_its_rows_in(name):
    for other in imported(CORE_MODULES[name], set(CORE_MODULES), with_types=True):
        assert other.split(".")[0] != "sqlite3", f"{name} imports sqlite3: SQL lies in {sorted(HOLD_SQL)}"
        assert not other.startswith("log_aggregator.journal."), (
            f"{name} imports {other}; expected log_aggregator.journal"
        )


def test_the_journal_gives_no_part_of_its_database_away():
    exported = {node.module for node in ast.walk(ast.parse(CORE_MODULES["log_aggregator.journal"].read_text()))
                if isinstance(node, ast.ImportFrom)}  # fmt: skip
    inner = {f"log_aggregator.journal.{part}" for part in ("database", "writer", "intake", "outbox", "positions")}
    assert exported
    assert not exported & inner, "connections and cursors would cross the folder's wall"


def test_no_file_is_larger_than_a_room():
    files = [
        path for pattern in ("core", "packages", "plugins", "tests", "tools") for path in (ROOT / pattern).rglob("*.py")
    ]
    assert len(files) > 50
    large = {str(path.relative_to(ROOT)): count for path in files if (count := _lines(path)) > MAX_LINES}
    assert not large, f"over {MAX_LINES} lines"


def _lines(path: Path) -> int:
    return 0 if "build" in path.parts else len(path.read_text(encoding="utf-8").splitlines())


def test_the_checks_see_what_they_look_for(tmp_path):
    source = tmp_path / "made.py"
    source.write_text(
        "import a.b\nfrom c import d, e\nif TYPE_CHECKING:\n    from f import g\ndef h():\n    import i\n"
    )
    assert imported(source, {"c.d"}, with_types=False) == {"a.b", "c.d", "c", "i"}
    assert imported(source, set(), with_types=True) == {"a.b", "c", "f", "i"}
