"""One path that is followed through rotations: by renaming, by copying and cutting, and by reuse of an inode."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from log_aggregator_reader.generation import Generation, Limits, ReplacedError
from log_aggregator_reader.joining import Record
from log_aggregator_reader.rotation import siblings
from log_aggregator_reader.sources import Source

REMEMBERED = 16
"""Files of a path that are remembered: those that are done are known again when they were renamed or compressed."""


class Piece(NamedTuple):
    """Records that stand together in one file.

    `file` names the file through all renaming; `start` and `end` are the bytes that the records take. `place` is what
    to remember of the path once the records are safe.
    """

    path: str
    file: str
    start: int
    end: int
    records: list[Record]
    place: bytes


class Tail:
    """Follows one path. Not for several threads at once."""

    def __init__(
        self,
        path: Path,
        place: bytes | None = None,
        *,
        is_joined: bool = True,
        from_end: bool = False,
        older: Sequence[Path] = (),
        on_problem: Callable[[str], None] = lambda _problem: None,
    ) -> None:
        """Go on at `place`, as the last piece had it. Without one begin with the files `older`, then the path's.

        `from_end` leaves out what is in the path's file at the start. `on_problem` is told what cannot be read.
        """
        self._path = path
        self._is_joined = is_joined
        self._from_end = from_end and place is None
        self._on_problem = on_problem
        self._complained = ""
        self._files: list[Generation] = []
        known = None if place is None else self._remembered(place)
        if known is None:
            for one in older:
                self._add(one, is_current=False)
        else:
            self._files = known
            self._restore()

    def read(self, limits: Limits) -> Piece | None:
        """The next complete records, the oldest file's first; `None` when there are none yet."""
        self._look()
        for file in list(self._files):
            if not file.is_open:
                continue
            try:
                part = file.read(limits)
            except ReplacedError:
                self._replaced(file)
                return self.read(limits)
            except (ValueError, OSError) as error:
                self._complain(f"{self._path}: {error}")
                file.finish()
                continue
            if part is not None and part.records:
                return Piece(str(self._path), file.id, part.start, part.end, part.records, self._place())
            if part is None and file.is_exhausted():
                file.finish()
        return None

    def read_again(self, file_id: str, start: int, end: int) -> Piece | None:
        """The piece whose place this is, from the file once more; `None` when the file is gone."""
        for file in self._files:
            if file.id == file_id and file.is_open and file.position == end:
                return Piece(str(self._path), file.id, start, end, file.read_exactly(start, end), self._place())
        return None

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            file.close()

    def _place(self) -> bytes:
        while len(self._files) > REMEMBERED and self._files[0].is_done:
            del self._files[0]
        return json.dumps({"files": [file.saved() for file in self._files]}, separators=(",", ":")).encode()

    def _current(self) -> Generation | None:
        return next((file for file in self._files if file.is_current), None)

    def _look(self) -> None:
        """See whether the path has another file now."""
        current = self._current()
        try:
            status = self._path.stat()
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._complain(f"{self._path}: {error.strerror}")
            self._from_end = False
            if current is not None:
                current.is_current = False
                self._discover()
            return
        if current is not None and (status.st_dev, status.st_ino) == current.identity:
            current.peek()
            return
        if current is not None:
            current.is_current = False
            self._discover()
        self._add(self._path, is_current=True)
        if self._from_end and (added := self._current()):
            added.skip_to_end()
        self._from_end = False

    def _add(self, path: Path, *, is_current: bool) -> None:
        source = self._opened(path)
        if source is not None:
            file = Generation(is_joined=self._is_joined)
            file.attach(source, is_current=is_current)
            self._files.append(file)

    def _remembered(self, place: bytes) -> list[Generation] | None:
        """The files of a place; `None` when it is not one that was made here."""
        try:
            return [Generation(is_joined=self._is_joined, saved=saved) for saved in json.loads(place)["files"]]
        except (ValueError, TypeError, KeyError, AttributeError):
            self._complain(f"{self._path}: the remembered place cannot be read; reading from the beginning")
            return None

    def _restore(self) -> None:
        """Find the files of an earlier run again: under the path, or renamed, copied or compressed beside it."""
        source = self._opened(self._path)
        if source is not None:
            known = self._known(source)
            if known is not None and not known.is_open and source.identity == known.identity:
                known.is_done = False
                known.attach(source, is_current=True)
            else:
                source.close()
        self._discover()

    def _replaced(self, file: Generation) -> None:
        """The file was cut: what was not read of it may be in a copy. What it holds now is another one."""
        file.close()
        file.is_current = False
        self._discover()

    def _discover(self) -> None:
        """Look at the older parts of the path for files that are not done, and for files that nobody saw yet."""
        read = [file.mtime for file in self._files if file.position] or [file.mtime for file in self._files]
        seen = max(read, default=0)
        found: list[Generation] = []
        # Kubernetes links to the file, and its older parts lie beside that.
        for path in siblings(self._path.resolve()):
            source = self._opened(path)
            if source is None:
                continue
            known = self._known(source)
            if known is not None and (known.is_done or known.is_open):
                source.close()
            elif known is not None:
                is_copy = source.identity != known.identity
                known.attach(source, is_current=False)
                known.is_final = known.is_final or is_copy
            elif read and source.mtime >= seen and not self._is_copied_now(source) and source.is_whole():
                file = Generation(is_joined=self._is_joined)
                file.attach(source, is_current=False)
                found.append(file)
            else:
                source.close()
        for file in self._files:
            if not file.is_open and not file.is_done:
                file.finish()
        self._files += found

    def _known(self, source: Source) -> Generation | None:
        """The file that was seen before, if this is one: by its inode and what it holds, or what it holds.

        Of one that was empty when it was seen only the inode is known, which another file may have by now.
        """
        by_inode = [file for file in self._files if file.identity == source.identity]
        known = [file for file in by_inode if file.is_in(source)]
        known = known or [file for file in reversed(self._files) if file.is_in(source)]
        known = known or [file for file in by_inode if file.is_unseen and not file.is_done]
        return known[0] if known else None

    def _is_copied_now(self, source: Source) -> bool:
        """Whether a file is the beginning of a copy that somebody is making."""
        return not source.is_packed and any(file.begins_like(source) for file in self._files)

    def _opened(self, path: Path) -> Source | None:
        try:
            return Source(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"{path}: {error.strerror}")
            return None

    def _complain(self, problem: str) -> None:
        if problem != self._complained:
            self._complained = problem
            self._on_problem(problem)
