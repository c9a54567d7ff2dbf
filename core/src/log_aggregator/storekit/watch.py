"""Whether the files that a connection writes are still those that lie in the directory."""

from __future__ import annotations

from pathlib import Path


class FileWatch:
    """Remembers which file a path was. SQLite writes on into a file that was removed: it is lost with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log_path = path.with_name(f"{path.name}-wal")
        self._files: dict[Path, tuple[int, int]] = {}

    def reopened(self) -> None:
        """The log may be another one: SQLite makes it anew when the last connection was closed."""
        self._files.pop(self._log_path, None)

    def problem(self) -> str:
        """Why what is written now would be lost; empty when it would not. Takes a few microseconds."""
        for path in (self._path, self._log_path):
            try:
                status = path.stat()
            except OSError as error:
                return f"{path.name}: {error.strerror}; the file was there before: stop the service, put it back, start"
            found = (status.st_dev, status.st_ino)
            if self._files.setdefault(path, found) != found:
                return f"{path.name}: another file lies in its place; stop the service, put the right one back, start"
        return ""
