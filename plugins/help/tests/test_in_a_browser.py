"""The whole site as `make docs` builds it, in a real browser under the service's policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from log_aggregator_help.site import ARCHIVE
from tests.support.service import StartService

BUILT = Path(__file__).parents[3] / "build/docs/docs/site/index.html"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (ARCHIVE.exists() and BUILT.exists()), reason="no site: `make docs` builds it"),
]


@pytest.fixture
def visitor(start_service: StartService) -> Iterator[object]:
    pytest.importorskip("playwright", reason="playwright is not installed")
    from plugins.dashboard.tests import browser

    service = start_service("[plugins.sqlite]\n[plugins.help]\n[plugins.dashboard]\n")
    with browser.chromium() as chromium:
        visitor = browser.Visitor(chromium, service.url)
        yield visitor
        visitor.leave()


def test_a_reader_gets_from_the_dashboard_to_a_page_by_search(visitor):
    page = visitor.open("")
    page.get_by_role("link", name="Help", exact=True).click()
    page.wait_for_url("**/help/docs/site/index.html")
    assert page.evaluate("document.body.dataset.theme") == "auto", "the script that was moved out of the page"
    page.get_by_role("textbox", name="Search").fill("quarantine")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Operations").first.click()
    page.get_by_role("heading", name="Operations").first.wait_for()
    assert "/help/docs/how-to/operations.html" in page.url
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert set(asked) == {visitor.url}, "nothing comes from elsewhere"
