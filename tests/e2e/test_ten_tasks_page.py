"""The steps of docs/how-to/ten-tasks.md on the page, one click or one text each, on the shop of `test_ten_tasks`."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator_service.commands.phone import Phone
from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Locator, Page, expect, sync_playwright

TASKS = Path(__file__).with_name("test_ten_tasks.py")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
DEADLINE = 90_000
FAILED, MISSED = "Checkout {ID} failed: provider timeout", "Cache miss for key {ID} on node {ID}"


def _tasks() -> Any:
    spec = importlib.util.spec_from_file_location("ten_tasks", TASKS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[ServiceProcess, Phone]]:
    with _tasks().running_shop(tmp_path, "[plugins.dashboard]\n") as running:
        yield running


@pytest.fixture
def page(shop: tuple[ServiceProcess, Phone]) -> Iterator[Page]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(DEADLINE)
        expect.set_options(timeout=DEADLINE)
        page.goto(shop[0].url)
        yield page
        browser.close()


def test_the_steps_on_the_page_do_what_they_say(shop: tuple[ServiceProcess, Phone], page: Page) -> None:
    service, phone = shop

    def part(name: str) -> Locator:
        return page.locator(f"section[aria-label='{name}']")

    def visit(name: str) -> None:
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()

    search = page.locator("input[type=search]").first

    def find(words: str, pattern: str) -> None:
        visit("Patterns")
        search.fill(words)
        expect(page.locator(".line .pattern")).to_have_text([pattern])

    # 1: why the checkout fails
    visit("Anomalies")
    page.get_by_role("link", name="Incident").first.click()
    expect(part("Logs")).to_contain_text("provider timeout")
    expect(part("What else moved")).not_to_contain_text("Loading…")
    # 6: show it to a colleague
    expect(part("Link")).to_contain_text("/#/incident/")
    expect(page.get_by_role("button", name="Copy as ticket")).to_be_visible()
    # 2: what the deployment changed
    visit("Compare")
    page.get_by_label("After").select_option("mark:deploy-1.4")
    expect(part("New").locator("a").first).to_have_text(FAILED)
    # 4: mute a noisy pattern until it triples
    find("cache miss", MISSED)
    page.locator(".line .pattern a").click()
    page.get_by_label("Mute").select_option("x3")
    page.get_by_role("button", name="Mute", exact=True).click()
    expect(part("Triage")).to_contain_text("Muted until it comes 3 times as often")
    # 7: the pattern of a log line
    find("Cache miss for key 4711 on node 7", f"Muted{MISSED}")
    # 3: who else saw a request; 9: take it over
    find("level:error checkout", FAILED)
    page.locator(".line .pattern a").click()
    page.get_by_label("Owner").fill("anna")
    page.get_by_role("button", name="Save").click()
    expect(part("Triage")).to_contain_text("Saved.")
    page.get_by_role("button", name="Acknowledge").click()
    expect(part("Triage").locator("b").first).to_have_text("Acknowledged")
    page.get_by_role("link", name="elsewhere").first.click()
    expect(page.locator(".line .pattern").filter(has_text="Shipping of")).to_have_count(1)
    # 10: hand in the errors of the day
    visit("Patterns")
    page.get_by_label("Level").select_option("ERROR")
    with page.expect_download() as started:
        page.get_by_label("Export").select_option("csv")
    assert FAILED in Path(started.value.path()).read_text(encoding="utf-8")
    # 5: be told on a phone; 8: hear of what does not come
    phone.rang.clear()
    visit("Anomalies")
    page.get_by_role("button", name="Send a test").click()
    expect(part("Notifications")).to_contain_text("delivered")
    assert phone.rang.wait(DEADLINE / 1000)
    page.get_by_label("Search of the rule").fill("source:backup finished")
    page.get_by_label("When").select_option("none")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(part("Rules").locator("tbody")).to_contain_text("source:backup finished")
    assert service.get("/rules")["rules"][0]["none_for"]
