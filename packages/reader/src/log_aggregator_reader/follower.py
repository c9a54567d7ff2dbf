"""Several paths and patterns that are followed together, each from its own place."""

from __future__ import annotations

import glob
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from log_aggregator_reader.generation import Limits
from log_aggregator_reader.rotation import without_rotations
from log_aggregator_reader.tail import Piece, Tail

RESCAN = 2.0
"""Seconds after which the patterns are looked at again for new files."""


def matches(pattern: str) -> list[Path]:
    """The files that a pattern names now; a name without `*`, `?` or `[` is itself, whether it exists or not."""
    if not glob.has_magic(pattern) or Path(pattern).exists():
        return [Path(pattern)]
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207  `Path.glob` takes no absolute pattern
    return sorted(path for path in map(Path, found) if path.is_file())


class Follower:
    """Follows every file that the patterns match, now or later. Not for several threads at once."""

    def __init__(
        self,
        patterns: Iterable[str],
        place_of: Callable[[str], bytes | None],
        *,
        is_joined: bool = True,
        from_end: bool = False,
        limits: Limits | None = None,
        on_problem: Callable[[str], None] = lambda _problem: None,
    ) -> None:
        """`place_of` says what is remembered of a path, `None` when nothing is.

        `from_end` leaves out what is in the files that exist at the start. `on_problem` is told what cannot be read.
        """
        self._patterns = list(patterns)
        self._place_of = place_of
        self._is_joined = is_joined
        self._from_end = from_end
        self._limits = limits or Limits()
        self._on_problem = on_problem
        self._tails: dict[Path, Tail] = {}
        self._turns: deque[Tail] = deque()
        self._next_scan = 0.0

    def read(self) -> Piece | None:
        """The next complete records of one of the files, in turn; `None` when no file has any now."""
        self._scan()
        for _ in range(len(self._turns)):
            tail = self._turns[0]
            self._turns.rotate(-1)
            piece = tail.read(self._limits)
            if piece is not None:
                return piece
        return None

    def read_again(self, path: str, file: str, start: int, end: int) -> Piece | None:
        """The piece that was read last before a crash: the place of its path must be the one it came with.

        `None` when the file is gone.
        """
        return self._tail(Path(path), []).read_again(file, start, end)

    def close(self) -> None:
        """Close all files."""
        for tail in self._tails.values():
            tail.close()

    def _scan(self) -> None:
        now = time.monotonic()
        if now < self._next_scan:
            return
        found = without_rotations(path for pattern in self._patterns for path in matches(pattern))
        for path, older in found.items():
            self._tail(path, older)
        self._from_end = False  # a file that comes later is new from its first line on
        self._next_scan = now + RESCAN

    def _tail(self, path: Path, older: list[Path]) -> Tail:
        tail = self._tails.get(path)
        if tail is None:
            tail = self._tails[path] = Tail(
                path,
                self._place_of(str(path)),
                is_joined=self._is_joined,
                from_end=self._from_end,
                older=older,
                on_problem=self._on_problem,
            )
            self._turns.append(tail)
        return tail
