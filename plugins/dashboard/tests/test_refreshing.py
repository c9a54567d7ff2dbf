"""The list of patterns refreshes itself: what was chosen stays, a pause holds it, a hidden tab asks nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n"
QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}
INTERVAL = 31_000
"""Milliseconds after which the list asks again."""
LIST = "/patterns?"
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def send(service: ServiceProcess, message: str, times: int) -> None:
    logs = [{"message": message, "source": "shop"} for _ in range(times)]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/flush")[1]["sealed"]


@pytest.fixture
def service(start_service: Callable[..., ServiceProcess]) -> ServiceProcess:
    service = start_service(PIPELINE, QUIET)
    # Words that no rule masks: every one is a pattern of its own.
    words = [a + b for a in "bdgklmnprt" for b in ("alo", "eru", "imo", "ota", "uke", "ane")]
    for number, word in enumerate(words):
        send_count = 100 - number
        service.post("/ingest/batch", [{"message": f"the {word} engine stalled", "source": "shop"}] * send_count)
    assert service.post("/flush")[1]["sealed"]
    return service


@pytest.fixture
def page(service: ServiceProcess, visit: Visit) -> Page:
    visitor = visit(service.url)
    visitor.context.clock.install()
    page: Page = visitor.open("#/patterns")
    expect(page.locator("#count")).to_have_text("60 patterns")
    return page


def asked(page: Page) -> list[str]:
    """The questions for the list from now on."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url) if LIST in request.url else None)
    return urls


def test_new_counts_come_and_the_selection_the_place_and_the_search_stay(page: Page, service: ServiceProcess) -> None:
    page.get_by_label("Search patterns").fill("engine")
    grid = page.get_by_role("grid")
    grid.focus()
    for _ in range(40):
        page.keyboard.press("j")
    active = page.locator(".line.active .pattern")
    chosen = active.inner_text()
    top = "element => { const y = element.getBoundingClientRect().top; return y }"
    before = active.evaluate(top)
    assert grid.evaluate("element => element.scrollTop") > 0
    send(service, "the zarope engine stalled", 500)
    page.clock.fast_forward(INTERVAL)
    expect(page.locator("#count")).to_have_text("61 patterns")
    expect(active).to_have_text(chosen)
    assert active.evaluate(top) == pytest.approx(before, abs=2)
    expect(page.get_by_label("Search patterns")).to_have_value("engine")
    expect(grid).to_be_focused()


def test_a_pause_holds_the_list_until_it_is_resumed(page: Page, service: ServiceProcess) -> None:
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    urls = asked(page)
    send(service, "the zarope engine stalled", 5)
    page.clock.fast_forward(INTERVAL)
    page.clock.fast_forward(INTERVAL)
    page.get_by_role("button", name="Resume updates").click()
    expect(page.locator("#count")).to_have_text("61 patterns")
    assert len(urls) == 1, "the only question is that of resuming"


def test_a_hidden_tab_asks_nothing_and_one_that_is_back_asks_at_once(page: Page, service: ServiceProcess) -> None:
    page.evaluate(HIDE, True)
    urls = asked(page)
    send(service, "the zarope engine stalled", 5)
    for _ in range(3):
        page.clock.fast_forward(INTERVAL)
    # Time for a question that should not be there.
    page.evaluate("() => fetch('health')")
    assert urls == []
    expect(page.locator("#count")).to_have_text("60 patterns")
    page.evaluate(HIDE, False)
    expect(page.locator("#count")).to_have_text("61 patterns")


def test_a_service_that_is_away_leaves_the_list_readable(service: ServiceProcess, visit: Visit) -> None:
    visitor = visit(service.url)
    visitor.context.clock.install()
    page = visitor.open("#/patterns")
    expect(page.locator("#count")).to_have_text("60 patterns")
    service.stop()
    page.clock.fast_forward(INTERVAL)
    expect(page.locator("#notice")).to_contain_text("The service is out of reach since")
    expect(page.locator(".line").first).to_be_visible()
    page.close()
    assert all("ERR_" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
