"""Fields and selects in a browser: the focus stays when a result changes, and a page that was left changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]

SETTLED = 600
"""Milliseconds after which no field's handler still waits to run."""


def status(page: Page) -> Any:
    return page.locator(".toolbar [role=status]")


def tell(service: ServiceProcess, *messages: str) -> None:
    assert service.post("/ingest/batch", [{"message": text, "source": "disk"} for text in messages])[0] == 202


def test_the_tail_follows_each_word_that_is_typed(visit: Visit, full: ServiceProcess) -> None:
    page = visit().open("#/tail")
    expect(status(page)).to_contain_text("Live")
    page.keyboard.press("/")
    page.keyboard.type("dsk")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("i")
    page.keyboard.press("Enter")
    search = page.get_by_label("Only messages with")
    expect(status(page)).to_have_text("Live · 0 logs")
    expect(page.get_by_role("heading", name="No log that matches has come yet")).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("disk")
    assert search.evaluate("(input) => [input.selectionStart, input.selectionEnd]") == [2, 2]
    tell(full, "Disk 1 full", "Net 1 down")
    expect(page.locator(".tail .text")).to_have_text(["Disk 1 full"])
    expect(page.get_by_role("heading", name="No log that matches has come yet")).to_be_hidden()

    page.keyboard.press("Control+a")
    page.keyboard.type("net")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Live · 0 logs")
    expect(page.locator(".tail li")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"#/tail\?q=net$"))
    tell(full, "Disk 2 full", "Net 2 down")
    expect(page.locator(".tail .text")).to_have_text(["Net 2 down"])

    source = page.get_by_label("Only this source")
    source.fill("switch")
    source.press("Enter")
    expect(status(page)).to_have_text("Live · 0 logs")
    expect(source).to_be_focused()
    expect(page).to_have_url(re.compile(r"#/tail\?q=net&source=switch$"))


def test_the_tail_says_why_it_has_no_connection_until_the_filter_is_right(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/tail")
    source = page.get_by_label("Only this source")
    source.fill("x" * 101)
    source.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(status(page)).to_have_text("Not connected.")
    source.fill("disk")
    source.press("Enter")
    expect(status(page)).to_have_text("Live · 0 logs")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert visitor.complaints
    assert all("422" in complaint or "400" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


@pytest.mark.parametrize("label", ["Only messages with", "Only this source"])
def test_a_word_that_was_not_entered_stays_on_its_page(visit: Visit, label: str) -> None:
    page = visit().open("#/tail")
    expect(status(page)).to_contain_text("Live")
    page.get_by_label(label).focus()
    page.keyboard.type("disk")
    page.evaluate("location.hash = '#/anomalies'")
    expect(page.locator(".anomalies li")).to_have_count(2)
    page.wait_for_timeout(SETTLED)
    expect(page.locator("h1")).to_have_text(["Anomalies"])
    assert page.url.endswith("#/anomalies")


@pytest.mark.parametrize(
    ("page_name", "label", "value"),
    [
        ("patterns", "Level", "ERROR"),
        ("anomalies", "State", "open"),
        ("anomalies", "Time range", "-1h"),
        ("pattern", "Split by", "source"),
        ("tail", "Level", "ERROR"),
    ],
)
def test_a_select_keeps_the_focus(visit: Visit, full: ServiceProcess, page_name: str, label: str, value: str) -> None:
    known = full.get("/patterns?limit=1")["patterns"][0]["pattern_id"]
    page = visit().open(f"#/pattern/{known}" if page_name == "pattern" else f"#/{page_name}")
    select = page.get_by_label(label, exact=True)
    expect(select.locator(f"option[value='{value}']")).to_be_attached()
    expect(page.locator("main")).not_to_contain_text("Loading…")
    select.focus()
    select.select_option(value)
    expect(page).to_have_url(re.compile(f"={value}$"))
    page.wait_for_timeout(SETTLED)
    expect(select).to_have_value(value)
    expect(select).to_be_focused()
