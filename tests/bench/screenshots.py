"""Takes the pictures in docs/screenshots/: a service of its own, made-up logs, a real browser.

    python -m tests.bench.screenshots            all pictures, light and dark

Needs Chromium. Every picture stays under 200 kB.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.service import COMMAND, ServiceProcess

ROOT = Path(__file__).parents[2]
PIPELINE = "".join(
    f"[plugins.{name}]\n" for name in ("redact", "patterns", "templates", "classify", "sqlite", "trends", "dashboard")
)
HOURS = 6
RANGE = f"since=-{HOURS}h"
MOST_BYTES = 200_000
SIZE = {"width": 1280, "height": 800}
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
            live = subprocess.Popen([COMMAND, "demo", "--url", service.url, "--rate", "12"], stderr=subprocess.DEVNULL)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
                pictures = [
                    picture for scheme in ("light", "dark") for picture in _take(browser, service, scheme, into)
                ]
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
    command = [COMMAND, "demo", "--url", service.url, "--past", str(past), "--rate", "3", "--incident", incident]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    service.post("/flush?deadline=60")


def _take(browser: Browser, service: ServiceProcess, scheme: str, into: Path) -> list[Path]:
    rows = service.get("/patterns?limit=100&order=count")["patterns"]
    subject = next(row for row in rows if row["pattern"].startswith("Provider timeout"))
    places = {
        "overview": f"#/?{RANGE}",
        "patterns": f"#/patterns?{RANGE}",
        "pattern": f"#/pattern/{subject['pattern_id']}?{RANGE}",
        "tail": "#/tail",
    }
    context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
    taken = []
    for name, place in places.items():
        page = context.new_page()
        page.goto(f"{service.url}/{place}")
        _settle(page, name)
        taken.append(into / f"{name}-{scheme}.png")
        page.screenshot(path=taken[-1])
        page.close()
    context.close()
    return taken


def _settle(page: Page, name: str) -> None:
    """Wait until the page shows what the picture is about."""
    if name == "tail":
        page.locator(".tail li").nth(40).wait_for()
    elif name == "patterns":
        page.locator(".line .spark").nth(15).wait_for()
    else:
        page.locator(".chart svg").first.wait_for()
        page.get_by_text("Loading…").first.wait_for(state="detached")
        time.sleep(8 if name == "overview" else 1)  # the rate needs two looks at the service


def _told(pictures: list[Path]) -> int:
    for picture in pictures:
        print(f"{picture.stat().st_size / 1000:6.1f} kB  {picture.name}")
    return int(any(picture.stat().st_size >= MOST_BYTES for picture in pictures))


if __name__ == "__main__":
    sys.exit(main())
