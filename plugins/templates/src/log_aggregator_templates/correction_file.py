"""Where corrections are kept: one file for all workers, with those that were undone, as a record of who did what."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from log_aggregator_templates.corrections import Correction
from log_aggregator_templates.saved import replace_file

_LIST = TypeAdapter(list[Correction])
MOST = 10_000
"""Corrections that are kept, undone ones included."""


class CorrectionFile:
    """Reads and changes the file. All methods block: call them in a thread. They raise `OSError` and `ValueError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def news(self) -> list[Correction] | None:
        """All corrections when the file is another than at the last call, else `None`."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return None
        found = self._read()
        self._seen = seen
        return found

    def all(self) -> list[Correction]:
        """All corrections, the oldest first."""
        try:
            return self._read()
        except FileNotFoundError:
            return []

    def change(self, change: Callable[[list[Correction]], Sequence[Correction]]) -> list[Correction]:
        """Replace all corrections by what `change` makes of them, while no other worker does; what they are now."""
        with self._path.with_name(self._path.name + ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = list(change(self.all()))
            if len(now) > MOST:
                raise ValueError(f"there are {MOST} corrections already; undone ones can be deleted from the file")
            replace_file(self._path, _LIST.dump_json(now, exclude_defaults=True))
            return now

    def _read(self) -> list[Correction]:
        data = self._path.read_bytes()
        try:
            return _LIST.validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"{self._path.name}: {first['loc']}: {first['msg']}") from None
