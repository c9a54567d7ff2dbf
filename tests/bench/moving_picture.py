"""Takes the moving picture of README.md: an incident on the command line, on the page and on a phone.

    python -m tests.bench.moving_picture [--into docs/screenshots/incident.webp]

A service of its own, `log-aggregator demo --incident --notify-to local`, and a real browser: what is seen is what they
printed and showed. Needs Chromium and Pillow (tests/bench/requirements.txt). The picture stays under 1 MB.
"""

from __future__ import annotations

import argparse
import html
import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.bench.screenshots import FLAGS
from tests.support.service import COMMAND, ServiceProcess

ROOT = Path(__file__).parents[2]
PLUGINS = ("redact", "patterns", "classify", "sqlite", "trends", "dashboard")
PIPELINE = "".join(f"[plugins.{name}]\n" for name in PLUGINS)
SIZE = {"width": 960, "height": 600}
MOST_BYTES = 1_000_000
DEADLINE = 180_000
CALM = 100.0
SHOWN = "log-aggregator demo --incident --notify-to local"
DEMO = ["demo", "--incident", "0:60", "--rate", "400", "--seconds", "4", "--notify-to", "local"]
"""The same, with the incident at once: the picture need not wait for second 10."""

STYLE = """
body { margin: 0; height: 100vh; display: grid; place-items: center; background: #10161f; color: #dfe6ee;
  font: 17px/1.5 ui-monospace, "DejaVu Sans Mono", monospace }
pre { width: 86%; margin: 0; white-space: pre-wrap }
b { color: #7fd49b; font-weight: normal }
.phone { width: 330px; height: 540px; border: 10px solid #2c3643; border-radius: 44px; background: #1c2531;
  padding-top: 70px; font-family: "DejaVu Sans", sans-serif; box-sizing: border-box }
.phone time { display: block; text-align: center; font-size: 54px; line-height: 1.2; margin-bottom: 30px }
.note { margin: 0 14px; padding: 12px 14px; border-radius: 16px; background: #f4f6f9; color: #17202b;
  font-size: 14px; line-height: 1.4 }
.note strong { display: block; font-size: 15px; margin-bottom: 4px }
"""


def main() -> int:
    """Take it; 1 when it is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "docs/screenshots/incident.webp")
    into: Path = parser.parse_args().into
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None:
        print("no chromium here: apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        service = ServiceProcess(Path(directory), PIPELINE, {"AGGREGATION_WINDOW": "0.5"}).start()
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        try:
            printed = _incident(service)
            # The service's pages forbid HTML that is made from a string, so what is drawn here has a page of its own.
            shown, drawn = (browser.new_page(viewport=SIZE, reduced_motion="reduce") for _ in range(2))  # type: ignore[arg-type]  # two keys
            frames = [*_terminal(drawn, printed), *_pages(shown, service), _phone(drawn, printed)]
        finally:
            browser.close()
            service.stop()
    _save(frames, into)
    size = into.stat().st_size
    print(f"{size / 1000:.1f} kB  {into.name}")
    return int(size >= MOST_BYTES)


def _incident(service: ServiceProcess) -> str:
    """An hour of usual logs, then the incident; what the demo printed, notification included."""
    usual = [COMMAND, "demo", "--url", service.url, "--past", "3600", "--rate", "3"]
    subprocess.run(usual, check=True, capture_output=True)
    done = subprocess.run([COMMAND, *DEMO, "--url", service.url], check=True, capture_output=True, text=True)
    service.post("/flush")
    # On a machine that is busy with other things the burst holds the service up, and it says so for a minute.
    deadline = time.monotonic() + CALM
    while service.get("/health")["status"] != "healthy" and time.monotonic() < deadline:
        time.sleep(1)
    return done.stdout


def _terminal(page: Page, printed: str) -> list[tuple[bytes, int]]:
    """The command, and then what it printed."""
    head = f"<b>$</b> {html.escape(SHOWN)}\n"
    texts = {head: 1200, head + html.escape(printed): 3000}
    return [(_drawn(page, f"<pre>{text}</pre>"), wait) for text, wait in texts.items()]


def _pages(page: Page, service: ServiceProcess) -> list[tuple[bytes, int]]:
    """The overview, and the page of the incident."""
    incident = service.get("/anomalies?tier=notify&state=open")["anomalies"][0]["id"]
    frames = []
    page.set_default_timeout(DEADLINE)
    for place, wait in (("#/?since=-1h", 2500), (f"#/incident/{incident}", 3500)):
        page.goto("about:blank")
        page.goto(f"{service.url}/{place}")
        page.locator(".chart svg").first.wait_for()
        page.locator("p:visible", has_text=re.compile("Loading…")).first.wait_for(state="detached")
        page.wait_for_load_state("networkidle")
        frames.append((page.screenshot(), wait))
    return frames


def _phone(page: Page, printed: str) -> tuple[bytes, int]:
    """The notification, as the phone of the demo received it."""
    lines = [html.escape(line[1:].strip(" |")) for line in printed.splitlines() if line.startswith("|")]
    begun = next(number for number, line in enumerate(lines) if line.startswith("since "))
    note = f"<strong>{' '.join(lines[:begun])}</strong>{'<br>'.join(lines[begun:])}"
    clock = lines[begun].partition("T")[2][:5]
    return _drawn(page, f'<div class="phone"><time>{clock}</time><div class="note">{note}</div></div>'), 3500


def _drawn(page: Page, body: str) -> bytes:
    page.set_content(f"<!doctype html><style>{STYLE}</style>{body}")
    return page.screenshot()


def _save(frames: list[tuple[bytes, int]], into: Path) -> None:
    """Write the frames, each with the milliseconds that it stands, as one animated picture."""
    first, *rest = [Image.open(io.BytesIO(picture)).convert("RGB") for picture, _ in frames]
    waits = [wait for _, wait in frames]
    first.save(into, save_all=True, append_images=rest, duration=waits, loop=0, quality=70, method=6)


if __name__ == "__main__":
    sys.exit(main())
