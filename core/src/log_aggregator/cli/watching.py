"""Which files a pipeline is made of, whether one has changed, and how its plugins are imported anew."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.plugins.entry_points import installed_plugins
from log_aggregator.plugins.isolation.where_raised import SINGLE_FILE

LOOK_EVERY = 0.1
"""Seconds between two looks at the files."""

SUFFIXES = {".py", ".toml"}

Times = dict[Path, tuple[int, int]]
"""When a file was changed, in nanoseconds, and its size: a file that is written in two steps may keep its time."""


def files_of(entries: Iterable[PluginEntry]) -> set[Path]:
    """The files of the plugins: single files, packages, and files that options name. Imports none of them."""
    found: set[Path] = set()
    for entry in entries:
        found |= {entry.file} if entry.file else _package_files(_package_of(entry.name))
        found |= set(_named(entry.options))
    return found


def times_of(files: Iterable[Path]) -> Times:
    """What tells a change of each file; -1 for one that is missing."""
    return {path: _time(path) for path in files}


def wait_for_change(before: Times, *, stop: Callable[[], bool] = lambda: False) -> list[Path]:
    """Wait until a file differs from what it was; those that do. Empty when `stop` says so first."""
    while not stop():
        changed = [path for path, at in before.items() if _time(path) != at]
        if changed:
            return sorted(changed)
        time.sleep(LOOK_EVERY)
    return []


def forget_plugins(entries: Iterable[PluginEntry]) -> None:
    """Let the packages of these plugins be imported anew by the next registry."""
    packages = {_package_of(entry.name) for entry in entries if entry.file is None}
    for name in list(sys.modules):
        if name.partition(".")[0] in packages or name.startswith(SINGLE_FILE):
            del sys.modules[name]
    importlib.invalidate_caches()


def _package_of(name: str) -> str:
    point = installed_plugins().get(name)
    return point.module.partition(".")[0] if point else ""


def _package_files(package: str) -> set[Path]:
    if not package:
        return set()
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            roots = map(Path, spec.submodule_search_locations)
            return {path for root in roots for path in root.rglob("*") if path.suffix in SUFFIXES}
        if spec is not None and spec.origin:
            return {Path(spec.origin)}
    return set()


def _named(value: Any) -> Iterator[Path]:
    """The files that an option names, at any depth."""
    if isinstance(value, str) and value and len(value) < 1024 and "\0" not in value and "\n" not in value:
        with contextlib.suppress(OSError):
            if Path(value).is_file():
                yield Path(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _named(inner)


def _time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_mtime_ns, found.st_size
