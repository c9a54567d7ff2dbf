"""Rules by hand, exports and tickets on the page."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.trends.tests.factories import QUIET, RULED
from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Visit = Callable[..., Any]
FORMULA = '=1+1 is, a "formula"'


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with half an hour of payments, a refund that a rule tells of, and a text that looks like a formula."""
    service = ServiceProcess(tmp_path_factory.mktemp("ruled"), RULED + "[plugins.dashboard]\n", QUIET).start()
    now = time.time()
    logs: list[dict[str, Any]] = [
        {"message": f"Payment {n} failed", "level": "ERROR", "source": "shop", "timestamp": now - 1800 + n * 30}
        for n in range(60)
    ]
    logs += [{"message": FORMULA, "source": "shop"}, {"message": "Refund 7 done", "source": "shop"}]
    assert service.post("/ingest/batch", logs)[0] == 202
    for _ in range(2):  # the second one stores the anomaly
        assert service.post("/flush")[1]["sealed"]
    yield service
    service.stop()


def test_a_rule_is_tried_added_and_deleted(visit: Visit, ruled: ServiceProcess) -> None:
    page = visit(ruled.url).open("#/anomalies")
    rules = page.locator("section[aria-label='Rules']")
    expect(rules.locator("tbody tr")).to_have_count(1)
    expect(rules.locator("tbody tr")).to_contain_text("any refund")
    rules.get_by_label("Search of the rule").fill("level:error payment")
    rules.get_by_label("More than so many logs").fill("5")
    rules.get_by_role("button", name="Try on the last week").click()
    expect(rules.get_by_role("status")).to_contain_text("It would have told you once in the last week")
    rules.get_by_role("button", name="Add").click()
    expect(rules.locator("tbody tr")).to_have_count(2)
    expect(rules.locator("tbody tr").last).to_contain_text("more than 5 in 5m")
    rules.get_by_label("Alarm when").select_option("none")
    expect(rules.get_by_label("More than so many logs")).to_be_hidden()
    rules.get_by_role("button", name="Delete level:error payment").click()
    expect(rules.locator("tbody tr")).to_have_count(1)


def test_an_alarm_of_a_rule_is_told_by_its_name(visit: Visit, ruled: ServiceProcess) -> None:
    page = visit(ruled.url).open("#/anomalies")
    alarm = page.locator(".anomalies li").filter(has_text="any refund")
    expect(alarm).to_contain_text("Rule")
    expect(alarm).to_contain_text("more than 0")
    alarm.get_by_role("link", name="Incident").click()
    expect(page.locator("h1")).to_have_text("Rule: any refund")
    expect(page.locator("section[aria-label='Logs']")).to_contain_text("Refund {ID} done")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("button", name="Copy as ticket").click()
    page.wait_for_function("window.copied")
    ticket = page.evaluate("window.copied")
    assert ticket.startswith("## Rule: any refund\n\nSince ")
    assert f"{ruled.url}/#/incident/" in ticket


def test_a_key_tells_which_value_fails(visit: Visit, ruled: ServiceProcess) -> None:
    logs = [
        {"message": f"Upload {n} ends", "level": "ERROR" if n % 10 == 0 else "INFO", "source": "files",
         "metadata": {"region": "eu" if n % 2 else "us"}}
        for n in range(100)
    ]  # fmt: skip
    assert ruled.post("/ingest/batch", logs)[0] == 202
    assert ruled.post("/flush")[1]["sealed"]
    pattern = next(row for row in ruled.get("/patterns")["patterns"] if row["pattern"].startswith("Upload"))
    page = visit(ruled.url).open(f"#/pattern/{pattern['pattern_id']}")
    page.locator("section[aria-label='Metadata']").get_by_role("link", name="region", exact=True).click()
    worst = page.locator("section[aria-label='Errors by value'] li")
    expect(worst).to_have_count(1)
    expect(worst).to_contain_text("us")
    expect(worst).to_contain_text("20 %")
    page.get_by_role("region", name="Values").get_by_role("link", name="eu").click()
    expect(page.locator(".line .pattern")).to_have_text(["Upload {ID} ends"])


def test_the_list_is_exported_as_it_is_shown(visit: Visit, ruled: ServiceProcess) -> None:
    page = visit(ruled.url).open("#/patterns")
    expect(page.locator(".line").first).to_be_visible()
    page.get_by_label("Search patterns").fill("source:shop")
    expect(page.locator(".line")).to_have_count(3)

    def export(form: str) -> str:
        with page.expect_download() as found:
            page.get_by_label("Export").select_option(form)
        return Path(found.value.path()).read_text(encoding="utf-8")

    rows = list(csv.DictReader(io.StringIO(export("csv"))))
    assert [row["count"] for row in rows] == ["60", "1", "1"]
    assert next(row["pattern"] for row in rows if "formula" in row["pattern"]).startswith("'=")
    page.get_by_label("Search patterns").fill("payment")
    expect(page.locator(".line")).to_have_count(1)
    (line,) = export("ndjson").splitlines()
    assert json.loads(line)["levels"] == {"ERROR": 60}
    assert "| 60 | ERROR | shop | `Payment {ID} failed` |" in export("md")
    page.locator(".line .pattern a").click()
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("button", name="Copy as ticket").click()
    page.wait_for_function("window.copied")
    assert page.evaluate("window.copied").startswith("## `Payment {ID} failed`\n\n60 logs, ")
