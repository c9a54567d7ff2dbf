"""Merge, split and keep on the page of a pattern, of a service whose plugin `templates` takes corrections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import pytest

from log_aggregator import pattern_id
from tests.support.service import ServiceProcess

pytest.importorskip("playwright", reason="playwright is not installed")
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
PIPELINE = "[plugins.patterns]\n[plugins.templates]\n[plugins.sqlite]\n[plugins.dashboard]\n"
QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}
NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "hugo", "ivan", "judy"]
WIDE = "session opened for user {VAR} by root"
PLAIN = "the backup of the archive has ended"
OTHER = "mail delivery is slow today"
SERIOUS = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id, nodes }) => [id, nodes[0].html])"""


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that has learned a pattern, and has another one without a variable."""
    service = ServiceProcess(tmp_path_factory.mktemp("learned"), PIPELINE, QUIET).start()
    logs = [{"message": f"session opened for user {name} by root", "source": "auth"} for name in NAMES]
    logs += [{"message": text, "source": "backup"} for text in (PLAIN, OTHER)]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/flush?deadline=30")[1]["sealed"]
    yield service
    service.stop()


def unfolded(page: Page) -> Any:
    panel = page.locator("section[aria-label='Merge and split']")
    panel.locator("summary").first.click()
    return panel


def test_a_pattern_says_why_is_split_and_is_made_whole_again(visit: Visit, learned: ServiceProcess) -> None:
    panel = unfolded(visit(learned.url).open(f"#/pattern/{pattern_id(WIDE)}"))
    expect(panel).to_contain_text(re.compile(r"for user \{VAR\} by root: \d+ different words were seen here, 3 are"))
    expect(panel).to_contain_text("Nobody has corrected this pattern.")
    panel.get_by_role("button", name="Split").click()
    expect(panel.get_by_role("status")).to_contain_text("Split. From now on")
    made = panel.get_by_role("list", name="Corrections").locator("> li")
    expect(made).to_contain_text([f"Somebody splits {WIDE}"])
    assert learned.get("/corrections")["corrections"][0]["undone_at"] is None
    made.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("status")).to_contain_text("Undone.")
    expect(made).to_contain_text(["undone by somebody"])
    expect(made.get_by_role("button")).to_have_count(0)
    assert learned.get("/corrections")["corrections"][0]["undone_at"] is not None


def test_a_pattern_without_a_variable_is_kept_and_merged(visit: Visit, learned: ServiceProcess) -> None:
    panel = unfolded(visit(learned.url).open(f"#/pattern/{pattern_id(PLAIN)}"))
    expect(panel).to_contain_text("Their words are equal")
    panel.get_by_role("button", name="Keep as it is").click()
    made = panel.get_by_role("list", name="Corrections").locator("> li")
    expect(made).to_contain_text([f"keeps {PLAIN} as it is"])
    field, found = (
        panel.get_by_label("Merge into", exact=True),
        panel.get_by_role("list", name="Patterns to merge into"),
    )
    field.fill("backup")
    expect(found).to_have_text("No other pattern has these words.")
    field.fill("session opened")
    found.get_by_role("button", name=WIDE).click()
    expect(made.first).to_contain_text(f"merges {PLAIN} into {WIDE}")
    expect(found.locator("li")).to_have_count(0)
    assert learned.get("/corrections")["corrections"][0]["into"] == WIDE


def test_there_is_no_menu_without_a_plugin_that_takes_corrections(visit: Visit, full: ServiceProcess) -> None:
    row = full.get("/patterns?limit=1")["patterns"][0]
    page = visit().open(f"#/pattern/{row['pattern_id']}")
    expect(page.locator("section[aria-label='Samples'] li").first).to_be_visible()
    expect(page.locator("section[aria-label='Triage']")).to_be_visible()
    expect(page.locator("section[aria-label='Merge and split']")).to_have_count(0)


def test_the_menu_fits_a_phone_and_axe_finds_nothing_serious(visit: Visit, learned: ServiceProcess) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python, which carries axe-core, is absent")
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    options: dict[str, Any] = {"reduced_motion": "reduce", "bypass_csp": True}
    visitor = visit(learned.url, viewport={"width": 390, "height": 800}, **options)
    page = visitor.open(f"#/pattern/{pattern_id(WIDE)}")
    panel = unfolded(page)
    panel.get_by_label("Merge into", exact=True).fill("delivery")
    expect(panel.get_by_role("button", name=OTHER)).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Loading…")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate(script)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert page.evaluate(SERIOUS) == [], theme
