"""Packs the built site for `/help`: `python tools/help_site.py build/docs …/log_aggregator_help/site.zip`.

The service's policy for pages allows no script inside a page: each becomes a file. Every file is a gzip stream of its
own, which goes out as it is. The same site gives the same archive, byte for byte.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
import zipfile
from pathlib import Path

INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
LEFT_OUT = {".map", ".inv", ".buildinfo", ".doctree"}
"""What a reader's browser never asks for."""

_TIME = (1980, 1, 1, 0, 0, 0)


def files_of(site: Path) -> dict[str, bytes]:
    """The files of the site by name, scripts moved out of the pages."""
    found: dict[str, bytes] = {}
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = path.relative_to(site).as_posix()
        if path.suffix in LEFT_OUT or path.name in LEFT_OUT:
            continue
        body = path.read_bytes()
        if path.suffix == ".html":
            text, scripts = without_scripts(name, body.decode())
            body = text.encode()
            found |= scripts
        found[name] = body
    return found


def without_scripts(name: str, text: str) -> tuple[str, dict[str, bytes]]:
    """A page that loads its scripts from files, and the files by name."""
    files: dict[str, bytes] = {}

    def moved(match: re.Match[str]) -> str:
        body = match[1].strip().encode() + b"\n"
        target = f"_static/page-{hashlib.sha256(body).hexdigest()[:12]}.js"
        files[target] = body
        return f'<script src="{"../" * name.count("/")}{target}"></script>'

    return INLINE.sub(moved, text), files


def pack(site: Path, archive: Path) -> int:
    """Write the archive, at once or not at all; how many files it has. Raises `ValueError` for an empty site."""
    files = files_of(site)
    if not files:
        raise ValueError(f"{site}: no files; expected the site that `make docs` builds")
    unready = archive.with_suffix(".unready")
    with zipfile.ZipFile(unready, "w", zipfile.ZIP_STORED) as packed:
        for name, body in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name, _TIME), gzip.compress(body, 9, mtime=0))
    unready.replace(archive)
    return len(files)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(f"{sys.argv[2]}\n")
