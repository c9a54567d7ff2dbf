"""The SQLite files of a data directory, and those that `plugins.toml` names elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.configured import read_pipeline

JOURNAL = "journal.sqlite3"
_HEAD = b"SQLite format 3\0"
_KEPT = ".damaged-"


class Database(NamedTuple):
    """One file. `plugin` is set when its place is an option of a plugin, and not in the data directory."""

    path: Path
    plugin: str = ""

    @property
    def is_journal(self) -> bool:
        """Whether it is the journal of a worker."""
        return self.path.name == JOURNAL


def databases(settings: Settings) -> list[Database]:
    """Every database of this installation, journals first. Raises `ConfigError` where there is no journal."""
    directory = settings.data_dir
    if not (directory / JOURNAL).is_file():
        raise ConfigError(f"DATA_DIR {directory}: holds no {JOURNAL}; set DATA_DIR to the directory of a service")
    found = [Database(path) for path in _files(directory) if path.name == JOURNAL or _is_database(path)]
    found.sort(key=lambda one: (not one.is_journal, one.path))
    return found + [one for one in placed(settings) if one.path.is_file()]


def placed(settings: Settings) -> list[Database]:
    """The files outside of the data directory that options named `path` of plugins that are on stand for."""
    directory = settings.data_dir.resolve()
    found = []
    for entry in read_pipeline(settings).entries:
        path = entry.options.get("path")
        if isinstance(path, str) and entry.why_off(os.environ) is None:
            place = Path(path).resolve()
            if place.suffix in {".sqlite3", ".sqlite", ".db"} and not place.is_relative_to(directory):
                found.append(Database(place, entry.name))
    return found


def set_aside(settings: Settings) -> list[Path]:
    """Damaged files that earlier starts kept."""
    return [path for path in _files(settings.data_dir) if _KEPT in path.name]


def beside_databases(settings: Settings) -> list[Path]:
    """The other files of the data directory that a copy needs."""
    running = {"lock", "service.json"}
    return [
        path
        for path in _files(settings.data_dir)
        if path.name not in running
        and _KEPT not in path.name
        and not path.name.endswith(("-wal", "-shm", "-lock", "-suspect", "-mended", "-part", ".tmp"))
        and not (path.name == JOURNAL or _is_database(path))
    ]


def _files(directory: Path) -> Iterator[Path]:
    """The files of the directory and of its workers."""
    for place in (directory, *sorted(directory.glob("worker-*"))):
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.is_file() and not path.is_symlink())


def _is_database(path: Path) -> bool:
    if _KEPT in path.name or path.suffix not in {".sqlite3", ".sqlite", ".db"}:
        return False
    with path.open("rb") as file:
        return file.read(len(_HEAD)) == _HEAD
