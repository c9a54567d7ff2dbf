"""A real headless Chromium for the tests, and what it must never do: complain on its console."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

DEADLINE = 90_000
"""Milliseconds for anything to appear, generous for a machine that is busy with other tests."""

expect.set_options(timeout=DEADLINE)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Skips the test where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """One person with a browser window, and everything the page complained of."""

    def __init__(self, browser: Browser, url: str, **options: object) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]  # Playwright's own options
        self.context.set_default_timeout(DEADLINE)
        self.complaints: list[str] = []

    def open(self, place: str) -> Page:
        """A new tab at a place such as `#/patterns`."""
        page = self.context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.goto(f"{self.url}/{place}")
        return page

    def leave(self) -> None:
        """Close the window; asserts that nothing was complained of."""
        self.context.close()
        assert self.complaints == [], "\n".join(self.complaints)

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")
