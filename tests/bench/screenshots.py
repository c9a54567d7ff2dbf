"""Takes the pictures in docs/screenshots/: a service of its own, made-up logs, a real browser.

    python -m tests.bench.screenshots            all pictures, light and dark

Those of one part of a page (rules, corrections, settings) show that part alone; `overview-de` is in German.
Needs Chromium. Every picture stays under 200 kB.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from log_aggregator_trends.series import Series, SeriesKey
from log_aggregator_trends.state_file import StateFile, encode
from tests.support.service import COMMAND, ServiceProcess

ROOT = Path(__file__).parents[2]
PIPELINE = "".join(
    f"[plugins.{name}]\n" for name in ("redact", "patterns", "templates", "classify", "sqlite", "trends", "dashboard")
)
HOURS = 6
DAYS = 3
"""How long trends has known the shop."""
RATE = 6
"""Logs a second."""
DEADLINE = 400
"""Seconds until trends must have found the incident: it waits for the minute's last flush."""
RANGE = f"since=-{HOURS}h"
MOST_BYTES = 200_000
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
SIZE = {"width": 1280, "height": 800}
HEIGHTS = {
    "overview": 1000,
    "overview-de": 1000,
    "anomalies": 560,
    "tail": 600,
    "patterns": 640,
    "compare": 900,
    "incident": 1100,
}
PARTS = {
    "rules": "section[aria-label=Rules]",
    "corrections": "section[aria-label='Merge and split']",
    "settings": "dialog",
}
"""The pictures that show one element of a page."""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-lcd-text"]


def main() -> int:
    """Take all pictures; 1 when one is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "docs/screenshots")
    into: Path = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None:
        print("no chromium here: apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        service = ServiceProcess(Path(directory), PIPELINE).start()
        live = None
        try:
            _fill(service)
            usual = service.get(f"/patterns?limit=100&since=-{HOURS}h&until=-{HOURS - 3}h")["patterns"]
            service.stop()
            _teach(service, usual)
            service.start()
            service.post("/marks", {"title": "deploy 1.4"})
            service.post(
                "/rules",
                {"name": "Payment fails", "search": "level:error source:payment", "more_than": 5, "within": "5m"},
            )
            service.post("/rules", {"name": "No login", "search": "logged in", "none_for": "15m"})
            demo = [COMMAND, "demo", "--url", service.url, "--rate", str(RATE), "--incident", "30:3600"]
            live = subprocess.Popen(demo, stderr=subprocess.DEVNULL)
            _wait_for_incident(service)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
                pictures = _take(browser, service, into)
                browser.close()
        finally:
            if live is not None:
                live.terminate()
                live.wait()
            service.stop()
    return _told(pictures)


def _fill(service: ServiceProcess) -> None:
    """Some hours of logs with an hour in which the payment provider is down."""
    past = HOURS * 3600
    incident = f"{past - 9000}:2400"
    command = [COMMAND, "demo", "--url", service.url, "--past", str(past), "--rate", str(RATE)]
    command += ["--incident", incident]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    service.post("/flush?deadline=60")


def _teach(service: ServiceProcess, usual: list[dict[str, Any]]) -> None:
    """Let trends have known the shop for days: counts by chance around what three quiet hours had."""
    rates: dict[SeriesKey, float] = {}
    sources: dict[SeriesKey, str] = {}
    for row in usual:
        source = max(row["sources"], key=row["sources"].get)
        pattern = SeriesKey("pattern", row["pattern_id"])
        for key in (pattern, SeriesKey("source", source)):
            rates[key] = rates.get(key, 0.0) + row["count"] / 180
            sources[key] = source
    minute, rng = int(time.time() // 60), random.Random(1)
    series = []
    for key, rate in rates.items():
        known = Series(key)
        for past in range(minute - DAYS * 1440, minute):
            known.detector.update(past * 60.0, max(0, round(rng.gauss(rate, rate**0.5))))
        known.last, known.source = minute - 1, sources[key]
        series.append(encode(known))
    for leftover in service.data_dir.glob("trends.sqlite3*"):
        leftover.unlink()
    saved = StateFile(service.data_dir / "trends.sqlite3")
    saved.write({"first_minute": str(minute - DAYS * 1440)}, series, [], [], [], 0)
    saved.close()


def _wait_for_incident(service: ServiceProcess) -> None:
    """Until trends has found and stored that the payment provider is down again, by itself and not by a rule."""
    deadline = time.monotonic() + DEADLINE
    while _incident(service) is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"no incident was found within {DEADLINE} seconds")
        time.sleep(5)


def _incident(service: ServiceProcess) -> str | None:
    """The id of an open spike: its page shows what was expected, too."""
    found = [one["id"] for one in service.get("/anomalies?state=open")["anomalies"] if one["kind"] == "spike"]
    return found[0] if found else None


def _take(browser: Browser, service: ServiceProcess, into: Path) -> list[Path]:
    rows = service.get("/patterns?limit=100&order=count")["patterns"]
    subject = next(row for row in rows if row["pattern"].startswith("Provider timeout"))
    anomaly = _incident(service)
    learned = next((row for row in rows if "{VAR}" in row["pattern"]), subject)
    places = {
        "overview": f"#/?{RANGE}",
        "overview-de": f"#/?{RANGE}",
        "patterns": f"#/patterns?{RANGE}",
        "pattern": f"#/pattern/{subject['pattern_id']}?{RANGE}",
        "anomalies": f"#/anomalies?{RANGE}",
        "tail": "#/tail",
        "compare": "#/compare?after=mark:deploy-1.4",
        "incident": f"#/incident/{anomaly}",
        "values": f"#/values?key=region&{RANGE}",
        "rules": f"#/anomalies?{RANGE}",
        "corrections": f"#/pattern/{learned['pattern_id']}?{RANGE}",
        "settings": "#/anomalies",
    }
    taken = []
    for name, place in places.items():
        locale = "de-DE" if name.endswith("-de") else "en-US"
        size = {"width": SIZE["width"], "height": HEIGHTS.get(name, SIZE["height"])}
        context = browser.new_context(viewport=size, locale=locale)  # type: ignore[arg-type]  # a size has two keys
        page = context.new_page()
        page.set_default_timeout(180_000)
        page.goto(f"{service.url}/{place}")
        _settle(page, name)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            taken.append(into / f"{name}-{scheme}.png")
            shown = page.locator(PARTS[name]) if name in PARTS else page
            shown.screenshot(path=taken[-1])
        context.close()
    return taken


def _settle(page: Page, name: str) -> None:
    """Wait until the page shows what the picture is about."""
    waiting = page.locator("p:visible, span:visible", has_text=re.compile("Loading…|Wird geladen|Comparing…|Counting…"))
    if name == "tail":
        page.locator(".tail li").nth(20).wait_for()
    elif name in ("anomalies", "settings"):
        page.locator(".anomalies li").first.wait_for()
    elif name == "patterns":
        page.locator(".line .spark").nth(10).wait_for()
    elif name in ("compare", "values"):
        page.locator(".changes li" if name == "compare" else ".ranking li").first.wait_for()
    elif name == "rules":
        page.get_by_label("Search of the rule").fill("level:error source:payment")
        page.get_by_role("button", name="Try on the last week").click()
        page.get_by_text("It would have told you").wait_for()
    elif name == "corrections":
        page.get_by_text("Why are these logs one pattern?").click()
    else:
        page.locator(".chart svg").first.wait_for()
    waiting.first.wait_for(state="detached")
    if name == "settings":
        page.keyboard.press("?")
    time.sleep(8 if name.startswith("overview") else 1)  # the rate needs two looks at the service


def _told(pictures: list[Path]) -> int:
    for picture in pictures:
        print(f"{picture.stat().st_size / 1000:6.1f} kB  {picture.name}")
    return int(any(picture.stat().st_size >= MOST_BYTES for picture in pictures))


if __name__ == "__main__":
    sys.exit(main())
