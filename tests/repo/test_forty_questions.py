"""Forty questions: each has a section that answers it, and the words that are quoted stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import docs_links

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/forty-questions.md"
ROW = re.compile(
    r"^\| (?P<question>.+\?) \| (?P<answer>.+) \| \[.+\]\((?P<path>[^#)]+)#(?P<anchor>[^)]+)\) \|$", re.MULTILINE
)
ROWS = [match.groups() for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def section(path: Path, anchor: str) -> str:
    """The text from a heading to the next one, on one line."""
    parts = re.split(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [
        text for title, text in zip(parts[1::2], parts[2::2], strict=True) if docs_links.anchor_of(title) == anchor
    ]
    assert found, f"{path.name}#{anchor}: no such heading"
    return " ".join(found[0].split())


def test_twenty_of_each_are_there() -> None:
    first, second = PAGE.read_text(encoding="utf-8").split("## Of a person who operates it")
    assert [len(ROW.findall(part)) for part in (first, second)] == [20, 20]
    assert len({question for question, *_ in ROWS}) == 40


@pytest.mark.parametrize(("question", "answer", "path", "anchor"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_the_answer_stands_there(question: str, answer: str, path: str, anchor: str) -> None:
    assert answer in section((PAGE.parent / path).resolve(), anchor)
