"""Charts in a browser: what they draw, how they are read, zoomed and left, and the time range and zone around them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]

DRAW = """async () => {
  const { timeChart } = await import("/dashboard/chart.js"), { sparkline } = await import("/dashboard/sparks.js");
  const at = (minute) => new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString();
  const times = { since: at(0), until: at(30), step: 60 };
  const one = (name, count) => ({ name, total: count, points: [{ start: at(3), count }] });
  const series = [one("INFO", 900000), one("ERROR", 1)];
  const chart = timeChart({ ...times, series }, { names: ["ERROR", "INFO"], title: "drawn", share: true });
  const row = document.createElement("div");
  row.style.width = "105px";
  row.append(sparkline({ ...times, series: [{ name: "", points: [{ start: at(29), count: 7 }] }] }));
  document.getElementById("main").append(chart, row);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const bar = (name) => chart.querySelector(`.bar.level-${name}:not(.share)`).getBBox();
  const [info, error] = [bar("info"), bar("error")];
  return {
    error: error.height, base: error.y + error.height, info: info.y + info.height,
    marks: chart.querySelectorAll(".grid").length,
    texts: row.textContent, bars: row.querySelectorAll("rect").length,
    cut: row.querySelector("rect").getBoundingClientRect().right - row.getBoundingClientRect().right,
  };
}"""

RARITY = """async () => {
  const { rarity } = await import("/dashboard/format.js");
  return [rarity(3, 5), rarity(5.5, 5), rarity(40, 5)];
}"""


def test_what_a_chart_draws(visit: Visit) -> None:
    page = visit().open("#/nothing")
    expect(page.locator("h1")).to_have_text("No such page")
    expect(page.locator(".tile, .chart")).to_have_count(0)
    drawn = page.evaluate(DRAW)
    assert drawn["error"] >= 4, "one error among 900,000 logs is seen"
    assert drawn["base"] > drawn["info"], "errors stand on the axis, where they can be compared"
    assert drawn["marks"] >= 6, "several marks on the axis of counts, and two of the share of errors"
    assert (drawn["texts"], drawn["bars"]) == ("", 1), "nothing is written for an empty bar"
    assert drawn["cut"] <= 0.5, "the newest bar is not cut off"
    assert page.evaluate(RARITY) == [
        "by chance once in 3 days",
        "by chance once in 3 years",
        "by chance less than once in 1,000 years",
    ]


def test_a_chart_is_read_zoomed_and_left(visit: Visit) -> None:
    visitor = visit(timezone_id="Asia/Kolkata")
    page = visitor.open("#/")
    chart = page.locator("section[aria-label='Logs by level'] .chart")
    expect(chart.locator("svg")).to_be_visible()
    expect(page.get_by_label("Time range")).to_have_value("-15m")
    _legend_shows_one_alone(chart)
    _keyboard_reads_and_selects(page, chart)
    _a_drawn_range_is_shown_and_back_leads_out(page, chart)
    zone = page.locator(".zone")
    expect(zone).to_have_text("UTC+5:30")
    expect(chart.locator("svg")).to_have_attribute("aria-label", re.compile(r"UTC\+5:30\."))
    zone.click()
    expect(zone).to_have_text("UTC")
    expect(chart.locator("svg")).to_have_attribute("aria-label", re.compile(r"\d UTC\."))
    page.get_by_label("Keys", exact=True).click()
    page.get_by_label("Times", exact=True).select_option("exact")
    expect(page.locator(".news time").first).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))


def _legend_shows_one_alone(chart: Any) -> None:
    only = chart.get_by_role("button", name="ERROR")
    only.click()
    expect(only).to_have_attribute("aria-pressed", "true")
    expect(chart.locator(".bar.level-info")).to_have_count(0)
    only.click()
    expect(chart.locator(".bar.level-info")).not_to_have_count(0)


def _keyboard_reads_and_selects(page: Page, chart: Any) -> None:
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".tip")).to_contain_text("UTC+5:30")
    page.keyboard.press("Shift+ArrowLeft")
    expect(chart.locator(".selection")).to_be_visible()
    page.keyboard.press("Escape")
    expect(chart.locator(".selection")).to_have_count(0)
    assert page.url.endswith("#/")


def _a_drawn_range_is_shown_and_back_leads_out(page: Page, chart: Any) -> None:
    frame = chart.bounding_box()
    assert frame is not None
    y = frame["y"] + 60
    page.mouse.move(frame["x"] + frame["width"] * 0.6, y)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] - 5, y, steps=3)
    expect(chart.locator(".selection")).to_be_visible()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"since=.*&until="))
    page.get_by_label("Zoom out").click()
    zoomed = page.url
    page.get_by_label("Back to the usual time range").click()
    expect(page).to_have_url(re.compile(r"#/$"))
    page.go_back()
    expect(page).to_have_url(zoomed)
    for _ in range(2):
        page.go_back()
    expect(page).to_have_url(re.compile(r"#/$"))
    expect(page.get_by_label("Time range")).to_have_value("-15m")


def test_back_undoes_a_filter_and_finds_the_place_in_the_list(visit: Visit, full: ServiceProcess) -> None:
    page = visit().open("#/patterns")
    rows = page.locator(".line .pattern")
    expect(rows).to_have_count(9)
    page.get_by_label("Level").select_option("WARN")
    expect(rows).to_have_count(1)
    page.get_by_label("Search patterns").press_sequentially("cache", delay=90)
    expect(page).to_have_url(re.compile("q=cache"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"#/patterns\?level=WARN$"))
    page.go_back()
    expect(rows).to_have_count(9)
    expect(page.get_by_label("Level")).to_have_value("")
    page.locator("h1").press("j")
    page.keyboard.press("j")
    chosen = page.locator(".line.active .pattern").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".subject h1")).to_have_text(chosen)
    page.go_back()
    expect(page.locator(".line.active .pattern")).to_have_text(chosen)
    searched = page.get_by_label("Search patterns")
    searched.fill("timeout source:sh")
    expect(page.locator("#terms option")).to_have_attribute("value", "timeout source:shop")
    for text, count in [
        ('-level:info "for key"', 1),
        ("source:shop", 1),
        ("level:error,warn -payment", 1),
        ("source:<b>*", 6),
    ]:
        searched.fill(text)
        expect(rows).to_have_count(count)
