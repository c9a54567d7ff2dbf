"""What a person on call reads: outages, samples, incidents, what did not fit, what may be called usual."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Visit = Callable[..., Any]

VERDICTS = """async () => {
  const { verdict } = await import("/dashboard/verdict.js");
  const times = { until: "2026-01-05T10:00:00Z", seconds_left: 5400, started: "2026-01-04T10:00:00Z" };
  const learning = { ...times, alarms: ["any FATAL log"] };
  const said = (given) => {
    const made = verdict({ found: [], learning: null, watched: true, ...given });
    return [made.textContent, made.className];
  };
  return [said({ learning }), said({ watched: false }), said({ learning: undefined }), said({})];
}"""


COPIED = """() => {
  window.copied = new Promise((resolve) => {
    const look = () => { if (document.body.textContent.includes("Copied")) resolve(true); };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}"""
"""From now on waits for the word, which stands there for a second only."""


def test_an_outage_is_told_and_the_page_comes_back_by_itself(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/patterns")
    rows, banner = page.locator(".line .pattern"), page.locator("#notice")
    expect(rows).to_have_count(9)
    visitor.context.set_offline(True)
    page.evaluate("location.hash = '#/anomalies'")
    expect(banner).to_contain_text(re.compile(r"out of reach since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    expect(page.locator("main")).to_contain_text("No answer yet.")
    page.evaluate("location.hash = '#/patterns'")
    expect(page.locator("#count")).to_have_text("Not loaded")
    expect(page.locator("body")).not_to_contain_text("Loading…")
    visitor.context.set_offline(False)
    expect(rows).to_have_count(9)
    expect(banner).to_be_empty()
    assert all("ERR_" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_only_what_is_known_is_called_usual(visit: Visit) -> None:
    page = visit().open("#/nothing")
    learning, unwatched, unsaid, usual = page.evaluate(VERDICTS)
    assert "1 h 30 min left" in learning[0]
    assert "any FATAL log" in learning[0]
    assert "trends is not in plugins.toml" in unwatched[0]
    assert [said[1] for said in (learning, unwatched, unsaid, usual)] == ["learning", "warn", "quiet", "good"]


def test_a_sample_can_be_followed(visit: Visit, full: ServiceProcess) -> None:
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    known = next(row for row in full.get("/patterns?limit=100")["patterns"] if "logged in" in row["pattern"])
    page = visitor.open(f"#/pattern/{known['pattern_id']}")
    sample = page.locator(".samples li").first
    expect(sample.locator("time")).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"))
    expect(sample).to_contain_text("INFO")
    expect(sample).to_contain_text("auth")
    number = re.search(r"User (\d+)", sample.inner_text())
    assert number is not None
    expect(sample.locator(".meta")).to_contain_text("web")
    expect(sample.get_by_role("link", name="Open trace")).to_have_attribute(
        "href", f"https://traces.example.org/web?ms={number[1]}"
    )
    page.evaluate(COPIED)
    sample.get_by_role("button", name="web").click()
    assert page.evaluate("() => window.copied")
    assert page.evaluate("navigator.clipboard.readText()") == "web"
    expect(page.locator("section[aria-label='Variables'] tbody th")).to_have_text(["ID"])
    sample.get_by_role("link", name="± 15 min").click()
    expect(page).to_have_url(re.compile(rf"{known['pattern_id']}\?since=.*&until="))


def test_an_incident_has_an_address(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/anomalies")
    page.get_by_role("link", name="Incident: Spike of shop").click()
    expect(page).to_have_url(re.compile("#/incident/a1"))
    again = visitor.open(page.url.removeprefix(f"{visitor.url}/"))
    expect(again.locator("h1")).to_have_text("Spike: Payment {ID} failed: timeout")
    expect(again.locator("section[aria-label='By the minute'] .band")).to_be_visible()
    expect(again.locator("section[aria-label='By the minute'] .flag")).to_contain_text("start")
    expect(again.locator("section[aria-label='Series']")).to_contain_text("530 in 5 min · expected 0 to 3.2")
    expect(again.locator("section[aria-label='Series']")).to_contain_text("errors of shop")
    expect(again.locator("section[aria-label='Logs'] .samples li").first).to_contain_text("Payment")
    expect(again.locator("section[aria-label='Link'] pre")).to_contain_text("#/incident/a1")
    other = visitor.open("#/incident/none")
    expect(other.locator("h1")).to_have_text("No such incident")


def test_what_did_not_fit_stands_last_and_explains_itself(
    start_service: Callable[..., ServiceProcess], visit: Visit
) -> None:
    service = start_service("[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n", {"MAX_GROUPS": "10"})
    words = [a + b for a in "bdgklmnprt" for b in ("alo", "eru", "imo", "ota", "uke", "ane")]
    assert service.post("/ingest/batch", [{"message": f"the {word} engine stalled"} for word in words])[0] == 202
    service.post("/flush")
    page = visit(service.url).open("#/patterns")
    rows = page.locator(".line .pattern")
    expect(rows.last).to_have_text("Logs without a pattern of their own")
    assert rows.count() > 1, "the most frequent row is not the first one"
    rows.last.locator("a").click()
    expect(page.locator(".note")).to_contain_text("MAX_GROUPS")
    expect(page.locator(".note")).to_contain_text("regex")


def test_controls_fit_on_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 800}).open("#/patterns")
    expect(page.locator(".line")).to_have_count(9)
    expect(page.get_by_label("Source")).to_be_visible()
    spaces = page.locator("select").evaluate_all(
        "all => all.map((one) => [getComputedStyle(one).paddingRight, getComputedStyle(one).textOverflow])"
    )
    assert all(float(space.removesuffix("px")) >= 20 and cut == "ellipsis" for space, cut in spaces), spaces
    page.evaluate("location.hash = '#/tail'")
    expect(page.get_by_label("Level")).to_be_visible()
    tops = page.locator(".tailbar > :is(button, input, select)").evaluate_all(
        "all => all.map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    assert len(tops) >= 5
    assert len(set(tops)) == 1, "one row"
