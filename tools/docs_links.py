"""Checks the links of every page: `python tools/docs_links.py [PAGE …]`. Prints the broken ones; exit code 1 if any.

Checked are relative links, their anchors, and paths below `docs/` that a page names in backticks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)|\b(?:href|src|srcset)=\"(?!https?:)([^\"#]+)\"")
PATH = re.compile(r"`(docs/[\w./-]+)`")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page that a person reads: of the docs, and the README of each package and example."""
    places = ("*.md", "docs/**/*.md", "core/*.md", "packages/*/*.md", "plugins/*/*.md", "examples/*/*.md")
    return sorted({path for place in places for path in ROOT.glob(place)})


def broken(page: Path) -> Iterator[str]:
    """One line for each link of a page that leads nowhere: page, link, what is missing."""
    name, text = page.relative_to(ROOT), _prose(page)
    for path, anchor, attribute in LINK.findall(text):
        target = page.parent / (path or attribute) if path or attribute else page
        if not target.exists():
            yield f"{name}: {path or attribute}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{name}: {path}#{anchor}: no such heading"
    for path in PATH.findall(text) if page.name != "CHANGELOG.md" else ():  # it also names what was moved since
        if not (ROOT / path).exists():
            yield f"{name}: {path}: no such file"


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page, as GitHub makes them from its headings."""
    return frozenset(map(anchor_of, HEADING.findall(_prose(page)))) if page.suffix == ".md" else frozenset()


def anchor_of(heading: str) -> str:
    """`## The id of a pattern` has the anchor `the-id-of-a-pattern`."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def main(chosen: Iterable[str]) -> int:
    """Check the named pages, or all."""
    lines = [line for page in [Path(name).resolve() for name in chosen] or pages() for line in broken(page)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
