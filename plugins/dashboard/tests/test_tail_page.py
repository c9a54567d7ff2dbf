"""The live tail as it is read: held, unfolded, marked, downloaded, and left for a pattern and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import expect

Visit = Callable[..., Any]


def tell(service: ServiceProcess, numbers: range) -> None:
    logs = [
        {
            "message": f"Disk {n} is full",
            "source": "disk",
            "level": "WARN",
            "metadata": {"trace_id": f"t-{n}", "at": [n]},
        }
        for n in numbers
    ]
    assert service.post("/ingest/batch", logs)[0] == 202


def test_the_tail_is_held_while_it_is_read(visit: Visit, full: ServiceProcess, tmp_path: Path) -> None:
    page = visit().open("#/tail?q=is full")
    status, tail, rows = page.locator(".toolbar [role=status]"), page.locator(".tail"), page.locator(".tail li")
    expect(status).to_have_text("Live · 0 logs")
    full.post("/ingest", {"message": "another one", "source": "net"})
    expect(page.locator("main")).to_contain_text("1 other log has come meanwhile.")
    expect(page.locator("main")).not_to_contain_text("curl")
    tell(full, range(300))
    expect(status).to_have_text("Live · 300 logs")
    assert rows.count() < 100, "only what is visible is there"
    expect(rows.first.locator("mark.hit")).to_have_text("is full")
    expect(page.locator("#sources option[value=disk]")).to_be_attached()

    tail.evaluate("(box) => { box.scrollTop = 1200 }")
    expect(status).to_contain_text("Held while you read")
    middle = rows.nth(rows.count() // 2)
    text = middle.locator(".text").inner_text()
    tell(full, range(300, 303))
    expect(status).to_contain_text("3 waiting")
    expect(middle.locator(".text")).to_have_text(text)
    middle.locator(".one").click()
    expect(page.locator(".detail .meta")).to_contain_text(f"t-{text.split()[1]}")

    full.post("/flush")
    page.get_by_role("link", name="Its pattern").click()
    expect(page.locator(".subject h1")).to_have_text("Disk {ID} is full")
    page.go_back()
    expect(rows.first).to_contain_text("Disk 299")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    started.value.save_as(tmp_path / "tail")
    logs = [json.loads(line) for line in (tmp_path / "tail").read_text().splitlines()]
    assert [log["message"] for log in logs] == [f"Disk {n} is full" for n in range(300)]
    assert logs[7]["metadata"] == {"trace_id": "t-7", "at": "[7]"}

    tail.evaluate("(box) => { box.scrollTop = 1200 }")
    expect(status).to_contain_text("Held while you read")
    tail.evaluate("(box) => { box.scrollTop = 0 }")
    expect(status).to_contain_text("Live")
    rows.first.locator(".one").click()
    expect(status).to_contain_text("Held while you read")
    rows.first.locator(".one").click()
    expect(status).to_contain_text("Live")


def test_a_trace_is_one_line_of_the_list(visit: Visit, full: ServiceProcess) -> None:
    page = visit(viewport={"width": 390, "height": 844}).open("#/tail?q=confirm")
    status = page.locator(".tailhead [role=status]")
    expect(status).to_have_text("Live · 0 logs")
    trace = "Order 7 failed\n  File app.py, line 1, in confirm\n\nReset: by peer"
    logs = [{"message": trace, "level": "ERROR"}, {"message": "confirm 1"}, {"message": "confirm " + "x" * 5000}]
    assert full.post("/ingest/batch", logs)[0] == 202
    row = page.locator(".tail li", has_text="Order 7")
    expect(row.locator(".text")).to_have_text("Order 7 failed ⏎ File app.py, line 1, in confirm ⏎ Reset: by peer")
    expect(row.locator("mark.hit")).to_have_text("confirm")
    heights = page.locator(".tail .text").evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert len(heights) == 3
    assert max(heights) < 30, "a row below would be covered"
    expect(status).to_be_in_viewport(ratio=1)
    row.locator(".one").click()
    expect(page.locator(".detail pre")).to_have_text(trace)


def test_a_tail_of_a_service_with_logs_does_not_ask_for_one(visit: Visit) -> None:
    page = visit().open("#/tail")
    expect(page.locator(".toolbar [role=status]")).to_contain_text("Live")
    expect(page.locator("main")).to_contain_text("logs have come since the service started")
    expect(page.locator("main")).not_to_contain_text("curl")
