"""The texts of the page: one module for each language, none elsewhere; and the page as a German reader sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import log_aggregator_dashboard
from log_aggregator_dashboard.assets import LANGUAGES, language_of
from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
ASSETS = Path(log_aggregator_dashboard.__file__).parent / "assets"
MODULES = sorted(file for file in ASSETS.glob("*.js") if file.stem not in LANGUAGES)

_EXPRESSION = r"(?:(?<=[(,=?:!] )|(?<=[(!{])|(?<=return ))/(?:\[(?:[^\]\\\n]|\\.)*\]|[^/\\\n\[]|\\.)+/[a-z]*"
_TOKEN = re.compile(rf"""/\*[\s\S]*?\*/|//[^\n]*|{_EXPRESSION}|(["'])(?:(?!\1)[^\\\n]|\\.)*\1|`|[{{}}]""")
"""What a reader of JavaScript must tell apart to find texts: comments, expressions, texts, templates, braces."""
_PIECE = re.compile(r"\$\{|`|\\.")
_NAMES = {
    "AbortError",
    "Authorization",
    "Bearer ",
    "Content-Type",
    "Retry-After",
    "English",
    "Deutsch",
    "Markdown",
    ".tail li",
    "share level-error",
    ": no such text",
}
_NOT_SHOWN = re.compile(
    r"(?:class(?:Name)?: |id: |from |import\(|querySelector(?:All)?\(|closest\(|matches\(|matchMedia\(|kept\(|"
    r"const (?:NAME|KEPT|THEME|ZONE) = |TIMES = |offers\(|event\.key === |rel: |new (?:Event|Error)\()$"
)
"""What stands before a text that nobody reads."""
_PROSE = re.compile(r"(?<![\w{.-])[A-Z][a-z]{2,}|[a-z]{2,}[,:;.]? [a-z]{2,}")
"""A word as a sentence or a heading begins, or two words."""
_KEYS = {
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "ArrowDown",
    "PageUp",
    "PageDown",
    "Home",
    "End",
    "Enter",
    "Escape",
    "Space",
}
_COMMANDS = ("User 123 logged in", "/ingest -H", "log-aggregator demo", "[plugins.", "rules = [", "level:error source:")
"""What is typed into a terminal or a file, the same in every language."""
_KEY = re.compile(r'\bt(?:extOr)?\((?:[^"`()]* \? )?"([a-z_]+(?:\.[a-z0-9_]+)+)"(?: : "([a-z_]+(?:\.[a-z0-9_]+)+)")?')

TEXTS = """async () => {
  const flat = (of, path) => typeof of === "string" ? [[path, of]]
    : Object.entries(of).flatMap(([name, one]) => flat(one, path ? `${path}.${name}` : name));
  const found = {};
  for (const name of ["en", "de"]) {
    const { TEXTS } = await import(`/dashboard/${name}.js`);
    found[name] = Object.fromEntries(flat(TEXTS, ""));
  }
  return found;
}"""

READ = """() => {
  const data = "pre, code, mark, noscript, h1, .samples, .news a, .line, .tail li, .ranking, .legend, .values, .text";
  const said = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const prose = !node.parentElement.closest(data);
      said.push([node.data.trim(), prose]);
    } else {
      const names = ["aria-label", "title", "placeholder"].filter((name) => node.hasAttribute(name));
      said.push(...names.map((name) => [node.getAttribute(name), false]));
    }
  }
  return said.filter(([text]) => text);
}"""

ENGLISH = re.compile(r"\b(?:the|is|are|of|and|this|that|with|has|not|from|what|none|when|its)\b", re.IGNORECASE)


def literals(text: str) -> Iterator[tuple[str, str]]:
    """Each text of a module, templates in their constant pieces, and what stands before it."""
    templates: list[int] = []  # open templates, each with the braces open in its expression
    at = 0
    while found := _TOKEN.search(text, at):
        token, at, before = found[0], found.end(), text[max(0, found.start() - 40) : found.start()]
        if token == "{" and templates:
            templates[-1] += 1
        elif token == "}" and templates and templates[-1]:
            templates[-1] -= 1
        elif token[0] in "\"'":
            yield before, token[1:-1]
        elif token == "`" or (token == "}" and templates):
            if token == "`":
                templates.append(0)
            start = at
            while (piece := _PIECE.search(text, at)) and piece[0].startswith("\\"):
                at = piece.end()
            assert piece is not None
            yield before, text[start : piece.start()]
            at = piece.end()
            if piece[0] == "`":
                templates.pop()


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.stem)
def test_no_text_that_a_person_reads_stands_outside_the_languages(module: Path) -> None:
    shown = [
        text
        for before, text in literals(module.read_text(encoding="utf-8"))
        if _PROSE.search(text)
        and not _NOT_SHOWN.search(before)
        and text not in _KEYS | _NAMES
        and not any(part in text for part in _COMMANDS)
    ]
    assert shown == []


def test_the_search_for_texts_finds_one() -> None:
    found = [
        text
        for _, text in literals(
            'h("p", {}, "No logs in this time."); // "No comment"\nh("b", {}, `Sent ${f({ a: `One ${n} more` })}`)'
        )
    ]
    assert found == ["p", "No logs in this time.", "b", "Sent ", "One ", " more", ""]
    assert [bool(_PROSE.search(text)) for text in found] == [False, True, False, True, True, False, False]


def test_languages_have_the_same_keys_and_places(visit: Visit) -> None:
    page = visit().open("#/nothing")
    texts = page.evaluate(TEXTS)
    assert texts["en"].keys() == texts["de"].keys()
    places = {
        name: {key: sorted(re.findall(r"\{[a-z_]+\}", text)) for key, text in texts[name].items()} for name in LANGUAGES
    }
    assert places["en"] == places["de"]
    used = {
        key for module in MODULES for pair in _KEY.findall(module.read_text(encoding="utf-8")) for key in pair if key
    }
    known = {re.sub(r"\.(?:one|other)$", "", key) for key in texts["en"]} | texts["en"].keys()
    assert len(used) > 200
    assert used - known == set()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-CH,de;q=0.9,en;q=0.5", "de"), ("fr,de;q=0.8", "de"), ("en-GB", "en"), ("fr", "en"), ("", "en"), ("DE", "de")],
)
def test_the_module_of_the_readers_language_is_loaded_early(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_a_german_reader_sees_no_english(visit: Visit, full: ServiceProcess) -> None:
    visitor = visit(locale="de-DE", viewport={"width": 390, "height": 800})
    pattern = next(row for row in full.get("/patterns?limit=100")["patterns"] if "Payment" in row["pattern"])
    places = [
        "#/",
        "#/patterns",
        "#/patterns?q=nothing-like-this",
        "#/anomalies",
        "#/tail",
        "#/incident/a1",
        "#/compare",
        "#/values?key=kind",
    ]
    places += ["#/values", "#/nothing", "#/pattern/0123456789abcdef", f"#/pattern/{pattern['pattern_id']}"]
    seen = set()
    for place in places:
        page = visitor.open(place)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("main")).not_to_be_empty()
        expect(page.locator("main")).not_to_contain_text(
            re.compile("Wird geladen|Wird verglichen|Wird gezählt|Wird verbunden")
        )
        said = page.evaluate(READ)
        seen |= {text for text, _ in said}
        assert english(page, said) == [], place
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, (
            f"{place}: a longer word breaks the phone's page"
        )
        page.close()
    assert {"Muster", "Übersicht", "Fehler nach Quelle", "Muster nicht gefunden"} <= seen
    visitor.complaints = [one for one in visitor.complaints if "404" not in one]


def english(page: Page, said: list[tuple[str, bool]]) -> list[str]:
    """What is said in English: a text of that language, a part of one, or a word that only English has."""
    texts = page.evaluate(TEXTS)
    german = set(texts["de"].values())
    whole = {text for text in texts["en"].values() if text not in german}
    parts = {part.strip() for text in whole for part in re.split(r"\{[a-z_]+\}", text)}
    longer = {part for part in parts if re.search(r"[a-z]+ [a-z]+", part) and not any(part in one for one in german)}
    return [
        text
        for text, prose in said
        if text in whole or any(part in text for part in longer) or (prose and ENGLISH.search(text))
    ]


def test_numbers_and_dates_are_written_as_in_german(visit: Visit, full: ServiceProcess) -> None:
    page = visit(locale="de-DE", timezone_id="UTC").open("#/nothing")
    written = page.evaluate("""async () => {
      const { bytes, duration, exact, figure, percent, when } = await import("/dashboard/format.js");
      const time = when("2026-11-05T14:05:06Z");
      return [exact(1234567), percent(0.0123), figure(3.14159), bytes(1500), duration(3660), time];
    }""")
    assert written == ["1.234.567", "1,2 %", "3,14", "1,5 kB", "1 Std. 1 Min.", "05.11.2026 14:05:06"]


def test_the_language_can_be_switched_and_is_kept(visit: Visit) -> None:
    visitor = visit(locale="fr-FR")
    page = visitor.open("#/patterns")
    expect(page.locator("nav")).to_contain_text("Patterns")
    page.keyboard.press("?")
    page.get_by_label("Language").select_option("de")
    expect(page.locator("nav")).to_contain_text("Muster")
    again = visitor.open("#/patterns")
    expect(again.locator("html")).to_have_attribute("lang", "de")
    again.keyboard.press("?")
    again.get_by_label("Sprache").select_option("")
    expect(again.locator("nav")).to_contain_text("Patterns")
