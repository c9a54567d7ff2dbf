"""The built site: one archive beside this module, whose files are gzip streams, so that none is compressed twice."""

from __future__ import annotations

import gzip
import mimetypes
import zipfile
from pathlib import Path
from typing import NamedTuple

ARCHIVE = Path(__file__).with_name("site.zip")
"""What `make docs` writes; it is part of the wheel, and never of the repository."""

START = "docs/site/index.html"

_TYPES = {".js": "text/javascript", ".yml": "text/plain", ".service": "text/plain", ".md": "text/plain"}


class File(NamedTuple):
    """A file of the site: its name there, its type, and an entity tag that changes with its content."""

    name: str
    content_type: str
    etag: str


class Site:
    """The files of the archive. Reading one is a read of the disk: call `read` in a thread."""

    def __init__(self, path: Path = ARCHIVE) -> None:
        """Raises `OSError` and `zipfile.BadZipFile` when there is no such archive."""
        self._archive = zipfile.ZipFile(path)
        self.files = {info.filename: _file(info) for info in self._archive.infolist()}

    def read(self, file: File, *, packed: bool) -> bytes:
        """The file's content; `packed`: as gzip."""
        body = self._archive.read(file.name)
        return body if packed else gzip.decompress(body)

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


def _file(info: zipfile.ZipInfo) -> File:
    kind = _TYPES.get(Path(info.filename).suffix) or mimetypes.guess_type(info.filename)[0]
    return File(info.filename, kind or "application/octet-stream", f'"{info.CRC:08x}-{info.file_size:x}"')
