"""The data directory belongs to the service's user alone: logs are nobody else's."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_OURS = ("lock", "journal.sqlite3")


def make_private(directory: Path) -> None:
    """Make the data directory with mode 0700, or take from an earlier one what others may do; files become 0600.

    A directory that holds other things and no journal, such as a home, keeps its mode. Raises `OSError` when it cannot
    be made; a file system that knows no modes is no error.
    """
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    if missing:
        return
    entries = list(directory.iterdir())
    if entries and not any((directory / name).exists() for name in _OURS):
        return
    for path in (directory, *entries):
        _restrict(path)


def _restrict(path: Path) -> None:
    with contextlib.suppress(OSError):
        status = path.lstat()
        is_ours = status.st_uid == os.geteuid() and (path.is_file() or path.is_dir()) and not path.is_symlink()
        if is_ours and status.st_mode & 0o077:
            path.chmod(status.st_mode & 0o700)
