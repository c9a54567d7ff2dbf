"""Writes an index of packages from a directory of built files: `python tools/local_index.py dist build/index`.

pip takes packages from it by name, with `-i file://…/build/index/simple`, as from the public one.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from html import escape
from pathlib import Path

from packaging.utils import parse_sdist_filename, parse_wheel_filename


def name_of(path: Path) -> str:
    """The normalized name of the distribution that a wheel or an sdist holds. Raises `ValueError`."""
    parsed = parse_wheel_filename(path.name) if path.suffix == ".whl" else parse_sdist_filename(path.name)
    return parsed[0]


def write(built: Path, index: Path) -> None:
    """Write the index; one that is there is replaced. Raises `ValueError` for a file of another kind."""
    shutil.rmtree(index, ignore_errors=True)
    pages: dict[str, list[str]] = {}
    for path in sorted(built.iterdir()):
        directory = index / "simple" / name_of(path)
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, directory)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        link = f'<a href="{escape(path.name)}#sha256={digest}">{escape(path.name)}</a><br>\n'
        pages.setdefault(directory.name, []).append(link)
    for name, links in pages.items():
        (index / "simple" / name / "index.html").write_text("".join(links), encoding="utf-8")
    listed = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in sorted(pages))
    (index / "simple/index.html").write_text(listed, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
