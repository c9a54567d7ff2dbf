"""The commands that README.md and docs/ show do what they say: they are run against a real service."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from log_aggregator.config.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

BLOCK = re.compile(r"<!-- run(?:: (?P<expected>.*?))? -->\n```(?:bash|console)\n(?P<script>.*?)```", re.DOTALL)
"""A block that is run: `<!-- run -->` in the line before it; with `run: text` the output holds that text."""

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


class Command(NamedTuple):
    page: Path
    script: str
    expected: str


def commands(page: Path) -> list[Command]:
    text = page.read_text(encoding="utf-8")
    return [Command(page, found["script"], found["expected"] or "") for found in BLOCK.finditer(text)]


RUNNABLE = [page for page in PAGES if page.is_file() and commands(page)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here, which `.ci/run` installs: apt-get install curl")
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_work(page, start_service):
    """All blocks of one page, one after another, as a reader would type them."""
    service = start_service((ROOT / "plugins.toml").read_text())
    environment = {**os.environ, "LOG_AGGREGATOR_URL": service.url}
    for command in commands(page):
        script = re.sub(r"http://(localhost|127\.0\.0\.1):8004", service.url, command.script)
        script = script.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        script = re.sub(r"\bcurl ", "curl --fail-with-body --silent --show-error ", script)
        shell = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            shell, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command.script}\n{done.stdout}{done.stderr}"
        assert command.expected in done.stdout + done.stderr, f"{command.script}\n{done.stdout}"


def test_the_readme_shows_the_first_steps_and_they_are_run():
    scripts = "".join(command.script for command in commands(ROOT / "README.md"))
    for step in ("/ingest", "/patterns", "log-aggregator demo", "log-aggregator send", "log-aggregator patterns"):
        assert step in scripts
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text


def test_the_settings_are_those_of_the_code():
    location = importlib.util.spec_from_file_location("settings_page", ROOT / "tools/settings_page.py")
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    told = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert module.page() == told, "the settings have changed: run `python tools/settings_page.py`"
    helped = subprocess.run(
        [Path(sys.executable).with_name("log-aggregator"), "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in Settings.model_fields:
        assert f"| `{name.upper()}` |" in told
        assert f"\n  {name.upper()} " in helped.stdout


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_on_a_page_compiles(page):
    for script in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        if not re.search(r"^\s*(service\.|await |[a-z_]+: )", script):
            compile(script, str(page), "exec")
