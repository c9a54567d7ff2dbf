"""Who this service is to others, and whose aggregates it may hold: what makes a loop known."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

ID = "upstream.id"
VIA = "upstream.via"
MOST = 1000
"""Services that are remembered. Below more of them, a circle may stay unnoticed."""


def own_id(directory: Path) -> str:
    """The id of this service, made at the first call; all workers have the same. Raises `OSError`."""
    path = directory / ID
    with contextlib.suppress(FileExistsError), tempfile.TemporaryDirectory(dir=directory) as made:
        new = Path(made) / ID
        _write(new, secrets.token_hex(8))
        os.link(new, path)  # whole or not at all, and never over one that is there
    return path.read_text(encoding="ascii").strip()


def passed(directory: Path) -> set[str]:
    """The services whose aggregates this one has taken in. Raises `OSError`."""
    try:
        return set((directory / VIA).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


def note_passed(directory: Path, ids: set[str]) -> set[str]:
    """Remember services whose aggregates this one takes in; all that are known. Raises `OSError`."""
    known = passed(directory)
    if ids <= known or len(known) >= MOST:
        return known | ids
    path = directory / VIA
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as made:
        made.write(" ".join(sorted(known | ids)).encode())
    Path(made.name).replace(path)
    return known | ids


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
