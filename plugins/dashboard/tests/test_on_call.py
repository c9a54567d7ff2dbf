"""Comparing, marks, triage and a test notification on the page, of a service that offers them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Visit = Callable[..., Any]
PIPELINE = """
[plugins.patterns]
[plugins.sqlite]
[plugins.trends]
[[plugins.trends.targets]]
kind = "webhook"
url = "http://127.0.0.1:9/hook"
[plugins.dashboard]
"""
QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with an hour of payments, of which those of the last half hour failed, too, and a mark between."""
    service = ServiceProcess(tmp_path_factory.mktemp("busy"), PIPELINE, QUIET).start()
    now = time.time()
    logs = [
        {"message": f"Order {n} paid", "source": "shop", "timestamp": now - 3600 + n * 7, "metadata": {"region": "eu"}}
        for n in range(500)
    ]
    logs += [
        {"message": f"Refund {n} refused", "level": "ERROR", "source": "shop", "timestamp": now - 1200 + n * 5}
        for n in range(200)
    ]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/flush")[1]["sealed"]
    assert service.post("/marks", {"title": "deploy 1.4", "at": str(int(now) - 1800)})[0] == 201
    yield service
    service.stop()


def test_what_a_deploy_changed(visit: Visit, busy: ServiceProcess) -> None:
    visitor = visit(busy.url)
    page = visitor.open("#/compare")
    page.get_by_label("After").select_option("mark:deploy-1.4")
    expect(page).to_have_url(re.compile(r"after=mark%3Adeploy-1\.4"))
    new = page.locator("section[aria-label='New'] li")
    expect(new).to_have_count(1)
    expect(new).to_contain_text("Refund {ID} refused")
    page.get_by_label("Title of the mark").fill("rolled back")
    page.get_by_role("button", name="Mark now").click()
    expect(page.get_by_label("After").locator("option", has_text="rolled back")).to_be_attached()
    overview = visitor.open("#/")
    expect(overview.locator("section[aria-label='Logs by level'] .flag").first).to_contain_text("deploy 1.4")


def test_a_pattern_is_triaged_and_a_value_filters(visit: Visit, busy: ServiceProcess) -> None:
    visitor = visit(busy.url)
    page = visitor.open("#/patterns?q=meta.region:eu")
    rows = page.locator(".line .pattern")
    expect(rows).to_have_text(["Order {ID} paid"])
    page.get_by_label("Search patterns").fill("refund")
    expect(rows).to_have_text(["Refund {ID} refused"])
    rows.first.locator("a").click()
    panel = page.locator("section[aria-label='Triage']")
    panel.get_by_label("Mute").select_option("x3")
    panel.get_by_role("button", name="Mute").click()
    expect(panel).to_contain_text("Muted until it comes 3 times as often")
    panel.get_by_label("Owner").fill("anna")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("status")).to_have_text("Saved.")
    expect(panel.locator("details")).to_be_attached()
    page.go_back()
    expect(page.locator(".line .triage")).to_have_text("Muted")
    wrong = visitor.open("#/patterns?q=meta.region:eu level:nonsense seen:soon")
    expect(wrong.get_by_role("alert")).to_contain_text("column")
    assert all("422" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_a_test_notification_says_what_failed(visit: Visit, busy: ServiceProcess) -> None:
    page = visit(busy.url).open("#/anomalies")
    targets = page.locator("section[aria-label='Notifications']")
    expect(targets.locator("tbody th")).to_contain_text("webhook")
    targets.get_by_role("button", name="Send a test").click()
    expect(targets.locator("li.bad")).to_contain_text("webhook")
