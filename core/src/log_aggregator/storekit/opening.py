"""Who opens a database first: a file may be looked at and mended only while nobody has it open."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class Opening:
    """Held while a database is open; every process that opens the file has one. Ends with the process."""

    def __init__(self, path: Path, first: Callable[[], None]) -> None:
        """`first()` runs when nobody else has one for this file; others wait until it is done. Raises `OSError`."""
        self._file = os.open(path.with_name(f"{path.name}-lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                first()
            fcntl.flock(self._file, fcntl.LOCK_SH)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others be the first again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
