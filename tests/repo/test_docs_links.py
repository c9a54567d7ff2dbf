"""The links of every page lead somewhere, the index leads to every page, and the glossary is in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import docs_links

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ROOMS = ("tutorials", "how-to", "reference", "explanation", "decisions")


def test_links_lead_somewhere():
    assert [line for page in docs_links.pages() for line in docs_links.broken(page)] == []


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("[x](README.md)", ""),
        ("[x](missing.md)", "missing.md: no such file"),
        ("[x](README.md#no-such-heading)", "README.md#no-such-heading: no such heading"),
        ('<img src="docs/missing.png">', "docs/missing.png: no such file"),
        ("see `docs/missing.md`", "docs/missing.md: no such file"),
        ("```\n[x](missing.md)\n```\n", ""),
    ],
)
def test_a_broken_link_is_found(link, wrong, tmp_path, monkeypatch):
    monkeypatch.setattr(docs_links, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text("# A heading\n")
    page = tmp_path / "page.md"
    page.write_text(link)
    assert list(docs_links.broken(page)) == ([f"page.md: {wrong}"] if wrong else [])


@pytest.mark.parametrize(
    ("heading", "anchor"), [("The id of a pattern", "the-id-of-a-pattern"), ("1. Write `it`: now", "1-write-it-now")]
)
def test_anchors_are_those_of_github(heading, anchor):
    assert docs_links.anchor_of(heading) == anchor


def test_every_page_is_in_a_room_and_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [page.relative_to(DOCS) for page in DOCS.rglob("*.md") if page.name not in ("README.md", "index.md")]
    for page in pages:
        assert page.parts[0] in ROOMS or str(page) == "glossary.md", page
        assert f"({page})" in index, f"docs/README.md does not link {page}"


def terms() -> list[tuple[str, str]]:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^### (.+)\n\n(.+(?:\n.+)*)", text, re.MULTILINE)


def test_the_glossary_is_sorted_and_says_one_sentence_a_term():
    names = [name for name, _ in terms()]
    assert len(names) > 50
    assert names == sorted(set(names), key=str.lower)
    for name, sentence in terms():
        assert sentence.endswith("."), name
        assert not re.search(r"[.?!] (?=[A-Z`])", sentence), f"{name}: more than one sentence"
