"""Measures the page in a browser: the list at ten thousand patterns, the live tail at a thousand logs a second.

    python -m tests.bench.bench_page                 needs Chromium; about a minute

Times are those of the wall, but for ThreadTime, the CPU time of the page: read them beside the load that is printed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Request, sync_playwright

from tests.support.service import COMMAND, ServiceProcess

PIPELINE = "".join(f"[plugins.{name}]\n" for name in ("patterns", "sqlite", "trends", "dashboard"))
PATTERNS, RATE = 10_000, 1000
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
OBSERVE = """() => {
  globalThis.tasks = [];
  const note = (list) => tasks.push(...list.getEntries().map(({ duration }) => duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
}"""
MODULES = """() => performance.getEntriesByType("resource")
  .filter(({ name, transferSize }) => name.endsWith(".js") && transferSize).length"""
FIRST_ROW = """() => new Promise((resolve) => {
  const look = () => document.querySelector(".line") ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})"""
SLOW_FRAMES = """(seconds) => new Promise((resolve) => {
  const gaps = [], end = performance.now() + 1000 * seconds;
  let last = performance.now();
  const look = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(look);
    else resolve(gaps);
  };
  requestAnimationFrame(look);
})"""


def main() -> int:
    """Print each figure beside the wanted one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20, help="how long the live tail is watched")
    parser.add_argument("--only", choices=("list", "tail"), help="measure one of the two")
    args = parser.parse_args()
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None:
        print("no chromium here: apt-get install chromium", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        service = ServiceProcess(Path(directory), PIPELINE).start()
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        try:
            if args.only != "tail":
                _fill(service)
                _list(browser, service.url)
            if args.only != "list":
                _tail(browser, service.url, args.seconds)
        finally:
            browser.close()
            service.stop()
    return 0


def _fill(service: ServiceProcess) -> None:
    words = ["".join(letters) for letters in itertools.product("bdgklmnprt", "aeiou", "lmnrs", "aeiou", "bdgkp")]
    logs = [
        {"message": f"unit {words[n % len(words)]} {words[-1 - n // len(words)]} could not reach its neighbour"}
        for n in range(PATTERNS)
    ]
    for start in range(0, PATTERNS, 2000):
        service.post("/ingest/batch", logs[start : start + 2000])
    service.post("/flush?deadline=60")


def _list(browser: Browser, url: str) -> None:
    context = browser.new_context()
    times = []
    for visit in range(5):
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        questions: list[str] = []
        session.on("Network.loadingFinished", _sizes_into(sizes))
        page.on("request", _questions_into(questions))
        page.goto(f"{url}/#/patterns")
        times.append(page.evaluate(FIRST_ROW))
        time.sleep(4)  # the other pages load while nothing else is to do
        if not visit:
            _told("bytes of a first view, compressed", f"{sum(sizes) / 1000:.0f} kB", "150 kB")
            _told("questions of a view", len(questions), 8)
        elif visit == 1:
            _told("modules that a second view loads", page.evaluate(MODULES), 0)
        page.close()
    _told("first rows, first visit", f"{times[0]:.0f} ms", "500 ms")
    _told("first rows, later visits, median", f"{sorted(times[1:])[1]:.0f} ms", "500 ms")
    context.close()


def _sizes_into(sizes: list[float]) -> Callable[[Any], None]:
    return lambda event: sizes.append(event["encodedDataLength"])


def _questions_into(found: list[str]) -> Callable[[Request], None]:
    return lambda sent: found.append(sent.url) if sent.resource_type == "fetch" else None


def _tail(browser: Browser, url: str, seconds: int) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/#/tail")
    page.get_by_role("button", name="Pause").wait_for()
    page.evaluate(OBSERVE)
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    demo = subprocess.Popen([COMMAND, "demo", "--url", url, "--rate", str(RATE)], stderr=subprocess.DEVNULL)
    try:
        page.locator(".tail li").nth(20).wait_for()
        _watched(page, session, "idle page beside it", seconds, url)
        _watched(page, session, "live tail", seconds)
    finally:
        demo.terminate()
        demo.wait()
    context.close()


def _watched(page: Page, session: CDPSession, name: str, seconds: int, idle: str = "") -> None:
    """Watch the frames of a page for some seconds; `idle`: of a new page of the service that draws nothing instead."""
    if idle:
        page = page.context.new_page()
        page.goto(f"{idle}/#/no-such-page")
        page.evaluate(OBSERVE)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
    page.bring_to_front()
    page.evaluate("tasks.length = 0")
    before, shown = _metrics(session), 0 if idle else _seen(page)
    gaps = page.evaluate(SLOW_FRAMES, seconds)
    after, tasks = _metrics(session), page.evaluate("tasks")
    print(name)
    if not idle:
        _told("  logs a second", f"{(_seen(page) - shown) / seconds:.0f}", RATE)
    _told("  tasks over 50 ms", f"{len(tasks)}, longest {max(tasks, default=0):.0f} ms", 0)
    _told("  longest pause between two frames", f"{max(gaps):.0f} ms", "")
    for figure in ("TaskDuration", "ThreadTime", "ScriptDuration", "LayoutDuration"):
        _told(f"  {figure} a second", f"{1000 * (after[figure] - before[figure]) / seconds:.0f} ms", "")
    if idle:
        page.close()


def _seen(page: Page) -> int:
    text = page.locator(".tailhead [role=status]").inner_text()
    return int("".join(letter for letter in text.split("·")[1] if letter.isdigit()))


def _metrics(session: CDPSession) -> dict[str, float]:
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def _told(name: str, value: Any, wanted: Any) -> None:
    print(f"{name:40} {value!s:>40} {wanted and f'wanted {wanted}':>16}   load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
