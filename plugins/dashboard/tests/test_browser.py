"""Every page in a real browser: what it shows, the keys, the address, hostile logs, API keys, accessibility."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
PLACES = ["#/", "#/patterns", "#/anomalies", "#/tail", "#/incident/a1", "#/compare", "#/values?key=kind"]
HOSTILE_PATTERNS = 6
NARROW, WIDE = {"width": 390, "height": 900}, {"width": 1440, "height": 900}


def pattern_place(service: ServiceProcess, part: str) -> str:
    """The address of the pattern that contains a text."""
    rows = service.get("/patterns?limit=100")["patterns"]
    return "#/pattern/" + next(row["pattern_id"] for row in rows if part in row["pattern"])


def rows(page: Page) -> Any:
    return page.locator(".line .pattern")


def test_the_overview_says_how_things_are(visit: Visit, full: ServiceProcess) -> None:
    page = visit().open("")
    expect(page.locator(".tile", has_text="Logs").first.locator("b")).to_have_text(str(57 + HOSTILE_PATTERNS))
    expect(page.locator(".tile", has_text="Errors").locator("b")).to_have_text("12")
    expect(page.locator("section[aria-label='Errors by source'] li")).to_have_text(["shop12 · 100 %"])
    expect(page.locator("section[aria-label='Top sources'] li").first).to_contain_text("auth")
    expect(page.locator("section[aria-label='Logs by level'] svg")).to_have_attribute(
        "aria-label", re.compile("63 logs")
    )
    expect(page.locator("section[aria-label='New patterns today'] li")).to_have_count(8)
    expect(page.locator("section[aria-label='Pipeline'] tbody tr").first).to_contain_text("sqlite")
    page.locator("section[aria-label='Errors by source'] a").click()
    expect(rows(page)).to_have_text(["Payment {ID} failed: timeout"])


def test_patterns_are_searched_filtered_sorted_and_the_address_says_so(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/patterns")
    expect(page.locator("#count")).to_have_text("9 patterns")
    expect(rows(page).first).to_have_text("User {ID} logged in")
    expect(rows(page).first.locator("mark")).to_have_text("{ID}")
    page.keyboard.press("/")
    page.keyboard.type("TIMEOUT payment")
    expect(rows(page)).to_have_text(["Payment {ID} failed: timeout"])
    expect(page).to_have_url(re.compile(r"q=TIMEOUT\+payment"))
    again = visitor.open(page.url.removeprefix(visitor.url + "/"))
    expect(rows(again)).to_have_text(["Payment {ID} failed: timeout"])
    again.locator("input[type=search]").fill("no such thing")
    again.get_by_role("button", name="Show all patterns").click()
    expect(again.locator("#count")).to_have_text("9 patterns")
    again.get_by_label("Level").select_option("WARN")
    expect(rows(again)).to_have_text(["Cache miss for key {ID}"])
    again.get_by_label("Level").select_option("")
    again.get_by_role("button", name="Count").click()
    expect(again.locator(".line .number").first).to_have_text("1")


def test_keys_move_and_open(visit: Visit) -> None:
    page = visit().open("#/patterns")
    expect(rows(page)).to_have_count(9)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".line.active")).to_contain_text("User {ID} logged in")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("User {ID} logged in")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()


def test_a_pattern_tells_all_that_is_known(visit: Visit, full: ServiceProcess) -> None:
    page = visit().open(pattern_place(full, "logged in"))
    expect(page.locator("h1")).to_have_text("User {ID} logged in")
    expect(page.locator(".facts")).to_contain_text("40 logs")
    expect(page.locator("section[aria-label='Over time'] .bar").first).to_be_attached()
    expect(page.locator(".samples li").first).to_contain_text("logged in")
    metadata = page.locator("section[aria-label='Metadata'] tbody tr", has_text="ms")
    expect(metadata).to_contain_text("max")
    expect(metadata).to_contain_text("39")
    expect(page.locator("section[aria-label='Anomalies']")).to_contain_text("None so far")
    page.get_by_label("Split by").select_option("source")
    expect(page.locator(".legend")).to_contain_text("auth")
    assert "split=source" in page.url


def test_anomalies_say_why(visit: Visit, full: ServiceProcess) -> None:
    visitor = visit()
    page = visitor.open("#/anomalies")
    items = page.locator(".anomalies li")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("530 in 5 min · expected 0 to 3.2 · by chance less than once in 1,000 years")
    expect(items.first).to_contain_text("<u>bank</u> = north: 97 % of them, usually 33 %")
    expect(items.first.locator(".why")).to_have_count(2)
    expect(items.first.locator(".why .name")).to_have_text(["errors of shop"])
    expect(items.last).to_contain_text("all logs of <b>cron</b>")
    expect(items.last).to_contain_text("nothing for 12 min, 8.25 expected meanwhile")
    page.get_by_label("State").select_option("open")
    expect(items).to_have_count(1)
    assert "state=open" in page.url
    items.first.locator(".text a").click()
    expect(page.locator("section[aria-label='Anomalies'] li")).to_contain_text("Spike")
    overview = visitor.open("#/")
    expect(overview.locator(".tile", has_text="Open anomalies").locator("b")).to_have_text("1")
    expect(overview.locator("section[aria-label='Open anomalies'] .anomalies li")).to_contain_text("notified")


def test_an_unknown_pattern_is_told(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/pattern/0123456789abcdef")
    expect(page.locator("h1")).to_have_text("No such pattern")
    assert all("404" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_the_tail_shows_pauses_and_filters(visit: Visit, full: ServiceProcess) -> None:
    page = visit().open("#/tail?level=ERROR")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    logs = [
        {"message": "Disk 1 full", "level": "ERROR", "source": "disk"},
        {"message": "Disk 2 fine", "source": "disk"},
    ]
    full.post("/ingest/batch", logs)
    expect(page.locator(".tail li")).to_have_count(1)
    expect(page.locator(".tail li")).to_contain_text("Disk 1 full")
    page.locator("h1").press(" ")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    full.post("/ingest", {"message": "Disk 3 full", "level": "ERROR"})
    expect(page.get_by_text("Paused · 1 waiting")).to_be_visible()
    expect(page.locator(".tail li")).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".tail li").first).to_contain_text("Disk 3 full")


def test_hostile_logs_are_texts(visit: Visit, full: ServiceProcess) -> None:
    visitor = visit()
    places = [*PLACES, pattern_place(full, "onerror"), pattern_place(full, "<script>"), pattern_place(full, "svg")]
    for place in places:
        page = visitor.open(place)
        if place == "#/tail":
            expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
            full.post("/ingest", {"message": "<img src=x onerror=\"document.title='owned'\">", "source": "<b>"})
            expect(page.locator(".tail li")).to_contain_text(["<img src=x"])
        else:
            page.wait_for_load_state("networkidle" if place != "#/" else "load")
            expect(page.locator("main")).not_to_be_empty()
        expect(page).not_to_have_title("owned")
        assert page.locator("main img, main script, main b b, main u, main [onerror], main [onload]").count() == 0
        page.close()
    page = visitor.open(pattern_place(full, "onerror"))
    expect(page.locator("h1")).to_contain_text("<img src=x onerror=")
    expect(page.locator("section[aria-label='Metadata'] .metadata")).to_contain_text("<u>")
    blocked = page.evaluate(
        "() => { try { document.body.innerHTML = '<i>x</i>'; return false } catch { return true } }"
    )
    assert blocked, "the page may not make markup from strings"
    visitor.complaints = [one for one in visitor.complaints if "TrustedHTML" not in one]


def test_a_key_is_asked_for_once(start_service: Callable[..., ServiceProcess], visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    reader = add_key(file, "reader", ["read"])
    service = start_service("[plugins.sqlite]\n[plugins.dashboard]\n", {"API_KEYS_FILE": str(file)})
    visitor = visit(service.url)
    page = visitor.open("#/patterns")
    page.get_by_label("Key", exact=True).fill("la.wrong.key")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("this API key is not known")).to_be_visible()
    page.get_by_label("Key", exact=True).fill(reader)
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator(".empty")).to_contain_text("curl -X POST")
    page.reload()
    expect(page.locator(".empty")).to_contain_text(f"{service.url}/ingest")
    page.goto(f"{service.url}/#/tail")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    assert visitor.complaints
    assert all("401" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_axe_finds_nothing_serious(visit: Visit, full: ServiceProcess) -> None:
    """Each page is loaded once: at both widths in light colors whole, then for the contrast of the dark ones."""
    pytest.importorskip(
        "axe_playwright_python", reason="axe-playwright-python, which carries axe-core, is not installed"
    )
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    # Colors that still change are none of a theme.
    options: dict[str, Any] = {"reduced_motion": "reduce", "bypass_csp": True}
    page = visit(color_scheme="light", viewport=WIDE, **options).open(PLACES[0])
    page.evaluate(script)
    for place in [*PLACES, pattern_place(full, "logged in")]:
        page.evaluate("(place) => { location.hash = place }", place)
        name = re.split("[/?]", place.removeprefix("#/"))[0] or "overview"
        expect(page.locator("main")).to_have_class(f"page-{name}")
        expect(page.locator("main")).not_to_be_empty()
        expect(page.locator("main")).not_to_contain_text("Loading…")
        if place == "#/tail":
            expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
            full.post("/ingest", {"message": "Disk 1 full", "level": "ERROR", "metadata": {"trace_id": "t-1"}})
            page.locator(".tail .one").click()
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert serious(page) == [], (place, size)
            # The themes differ in colors alone.
            page.emulate_media(color_scheme="dark")
            assert serious(page, "color-contrast") == [], (place, size)
            page.emulate_media(color_scheme="light")


def serious(page: Page, *rules: str) -> list[tuple[str, ...]]:
    """What axe finds to be serious: the rule, the element, and what is wrong."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def test_a_phone_shows_everything_without_sideways_scrolling(visit: Visit, full: ServiceProcess) -> None:
    visitor = visit(viewport={"width": 360, "height": 740})
    for place in [*PLACES, pattern_place(full, "onerror")]:
        page = visitor.open(place)
        expect(page.locator("main")).not_to_contain_text("Loading…")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        page.close()


def test_a_text_cannot_turn_what_stands_beside_it(visit: Visit) -> None:
    page = visit().open("#/patterns")
    expect(rows(page).filter(has_text="desrever")).to_contain_text("⟨U+202E⟩gnirts desrever⟨U+202C⟩")
    expect(rows(page).filter(has_text="desrever")).to_contain_text("⟨U+200B⟩⟨U+E0041⟩")
    assert page.evaluate("/[\\u200b\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)") is False


def test_the_overview_says_that_the_service_is_away_and_keeps_what_it_knew(
    start_service: Callable[..., ServiceProcess], visit: Visit
) -> None:
    service = start_service("[plugins.sqlite]\n[plugins.dashboard]\n", {"BATCH_SIZE": "1"})
    service.post("/ingest", {"message": "Disk 1 full", "level": "ERROR", "source": "disk"})
    service.post("/flush")
    visitor = visit(service.url)
    page = visitor.open("")
    tile = page.locator(".tile", has_text="Service").locator("b")
    expect(tile).to_have_text("healthy")
    expect(page.locator("section[aria-label='Errors by source'] li")).to_have_text(["disk1 · 100 %"])
    service.stop()
    expect(tile).to_have_text("away")
    banner = page.locator("#notice")
    expect(banner).to_contain_text(re.compile(r"out of reach since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    expect(banner).to_contain_text("What is shown is as of")
    colors = "() => [...document.querySelectorAll('.tile b, .good')].map((one) => getComputedStyle(one).color)"
    assert len(set(page.evaluate(colors))) == 1, "figures and verdicts of the past are grey, all of them"
    expect(page.locator("section[aria-label='Errors by source'] li")).to_have_text(["disk1 · 100 %"])
    page.close()
    assert all("ERR_" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
