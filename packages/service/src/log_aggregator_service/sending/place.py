"""The place of `send --follow`: how far it came, and the range that is on its way, in a file of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any, TextIO

EMPTY: dict[str, Any] = {"version": 1, "places": {}, "pending": None}


def default_path(url: str, names: list[str]) -> Path:
    """Where the place lies unless it is told: one file for each service and set of names."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    digest = hashlib.blake2b("\0".join([url, *names]).encode("utf-8", "replace"), digest_size=6).hexdigest()
    return state / "log-aggregator" / f"send-{digest}.json"


class PlaceFile:
    """Keeps places on disk, each write whole or not at all. One process at a time."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` when the file cannot be used, `ValueError` when it is used or holds something else."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock: TextIO = path.with_name(f"{path.name}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ValueError(f"{path}: another send uses this place; choose one with --place") from None
        try:
            self._kept = json.loads(path.read_bytes()) if path.exists() else dict(EMPTY)
            self._places: dict[str, str] = dict(self._kept["places"])
            self.pending: dict[str, Any] | None = self._kept["pending"]
        except (ValueError, KeyError, TypeError):
            self._lock.close()
            raise ValueError(f"{path}: expected a place that send wrote; remove it to begin anew") from None

    def of(self, name: str) -> bytes | None:
        """The place of a path or of the journal; `None` when nothing was read of it."""
        place = self._places.get(name)
        return None if place is None else place.encode()

    def note(self, name: str, place: bytes, pending: dict[str, Any]) -> None:
        """Before a range is sent: what it is, and the place after it. On disk when this returns."""
        self._places[name] = place.decode()
        self.pending = pending
        self._write()

    def done(self) -> None:
        """The service has the range."""
        if self.pending is not None:
            self.pending = None
            self._write()

    def close(self) -> None:
        """Let others use it."""
        self._lock.close()

    def _write(self) -> None:
        partial = self.path.with_name(f"{self.path.name}.partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump({"version": 1, "places": self._places, "pending": self.pending}, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
