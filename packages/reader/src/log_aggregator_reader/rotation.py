"""Which files were once the file that is followed: `app.log.1`, `app.log-20261130.gz`, `app-20261130.log`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_PACKED = r"(?:\.(?:gz|bz2|xz|zst|Z))?"
_MARK = r"(?:\d[\dTZ:_.-]*|old|bak|prev|previous)"
"""What rotation adds to a name: a number, a date, a word."""


def is_rotation_of(base: str, name: str) -> bool:
    """Whether a file's name is that of an older part of the file `base` in the same directory."""
    return name != base and _pattern(base).fullmatch(name) is not None


def siblings(path: Path) -> list[Path]:
    """The older parts of a file that exist, the oldest first by the time of their last change."""
    found: list[tuple[int, Path]] = []
    try:
        names = [entry.name for entry in path.parent.iterdir() if is_rotation_of(path.name, entry.name)]
    except OSError:
        return []
    for name in names:
        one = path.with_name(name)
        try:
            if one.is_file():
                found.append((one.stat().st_mtime_ns, one))
        except OSError:  # it was renamed or removed in the meantime
            continue
    return [one for _, one in sorted(found)]


def without_rotations(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    """The paths that are followed, each with its older parts among the paths."""
    every = list(dict.fromkeys(paths))
    older: dict[Path, list[Path]] = {path: [] for path in every}
    by_directory: dict[Path, list[Path]] = {}
    for path in every:
        by_directory.setdefault(path.parent, []).append(path)
    for together in by_directory.values():
        # A base has the shorter name; looking at neighbours in order keeps this far from every pair.
        together.sort(key=lambda path: (len(path.name), path.name))
        names = {path.name for path in together}
        for path in together:
            base = next((base for base in _bases(path.name) if base in names), None)
            if base is not None:
                older.pop(path)
                older.setdefault(path.with_name(base), []).append(path)
    return older


def _bases(name: str) -> list[str]:
    """Names whose older part this may be, by the first two ways to rotate."""
    plain = re.sub(r"\.(?:gz|bz2|xz|zst|Z)$", "", name)
    found = [re.sub(rf"[.-]{_MARK}$", "", plain), re.sub(rf"[.-]{_MARK}(\.[A-Za-z]+)$", r"\1", plain)]
    return [base for base in found if is_rotation_of(base, name)]


@lru_cache(maxsize=4096)
def _pattern(base: str) -> re.Pattern[str]:
    stem, dot, extension = base.rpartition(".")
    behind = rf"{re.escape(base)}[.-]{_MARK}{_PACKED}"
    if not dot or not stem:
        return re.compile(behind)
    return re.compile(rf"{behind}|{re.escape(stem)}[.-]{_MARK}\.{re.escape(extension)}{_PACKED}")
