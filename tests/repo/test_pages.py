"""What README.md and docs/ show is run: commands against a real service, Python blocks as what they are.

The pages for plugin authors, which build packages step by step, are run by `tests/e2e/packages/test_tutorials.py`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from tests.support import snippet
from tests.support.blocks import PAGES, ROOT, SHELL, Block, blocks, environment, lay_out, name_of, script_of
from tools import authors_page, catalogue_page, settings_page

LEAST_SHARE = 0.95
"""Of the blocks of shell and Python of README.md and docs/. It only ever grows."""

MORE = {"docs/how-to/troubleshoot.md": "[plugins.otlp]\n"}
"""Plugins of a page that the pipeline of the repository does not have."""

ENVIRON = {"docs/reference/analytics.md": {"ANALYTICS_NODE_URL": "http://127.0.0.1:9", "SHUTDOWN_TIMEOUT": "1"}}
"""What a page says that the service was started with."""

RUNNABLE = [page for page in PAGES if any(block.is_run for block in blocks(page))]
SHOWN = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.language == "python" and block.marker != "file" and not block.is_run
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here, which `.ci/run` installs: apt-get install curl")
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_blocks_of_a_page_work(page, start_service, tmp_path):
    """All blocks of one page that are run, one after another, as a reader would."""
    found = [block for block in blocks(page) if block.is_run]
    url, here = "", ROOT
    if any(re.search(r"(localhost|127\.0\.0\.1):8004|log-aggregator", block.code) for block in found):
        name = str(page.relative_to(ROOT))
        service = start_service((ROOT / "plugins.toml").read_text() + MORE.get(name, ""), ENVIRON.get(name))
        url, here = service.url, service.data_dir.parent
        assert service.post("/ingest", {"message": "User 123 logged in", "source": "auth"})[0] == 202
        assert name in ENVIRON or service.post("/flush")[0] == 200  # it waits for a sink that is not there
    paths = lay_out(here) if url else {}
    alone = tmp_path / "alone"
    alone.mkdir()
    places = {"try": here, "alone": alone}
    for block in found:
        if block.language == "python":
            done = run_python(block, re.sub(r"http://(localhost|127\.0\.0\.1):8004", url, block.code))
        else:
            shell = ["bash", "-euo", "pipefail", "-c", script_of(block.code, paths, url)]
            done = subprocess.run(
                shell,
                cwd=places.get(block.marker, ROOT),
                env={**environment(), "LOG_AGGREGATOR_URL": url},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        assert done.returncode == 0, f"{block.code}\n{done.stdout}{done.stderr}"
        assert block.expected in done.stdout + done.stderr, f"{block.code}\n{done.stdout}"


def test_nearly_all_blocks_are_tried():
    """The list of those that are not is printed; each needs what a test has not: a release, a server, hours."""
    ours = [page for page in PAGES if page == ROOT / "README.md" or ROOT / "docs" in page.parents]
    found = [one for page in ours for one in blocks(page) if one.language in SHELL | {"python"}]
    left = [one for one in found if not one.is_tried]
    for one in left:
        print(f"not run: {one.page.relative_to(ROOT)}: {one.code.splitlines()[0]}")
    share = 1 - len(left) / len(found)
    print(f"{len(found) - len(left)} of {len(found)} blocks are run: {share:.1%}")
    assert share >= LEAST_SHARE


def test_the_tests_that_pages_name_are_there():
    for page in PAGES:
        for one in blocks(page):
            if one.marker == "other":
                assert page.name in (ROOT / one.expected).read_text(encoding="utf-8"), f"{page}: {one.expected}"


def run_python(block: Block, code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.snippet", block.heading]
    return subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("block", SHOWN, ids=name_of)
def test_what_python_a_page_shows_of_the_api_is_so(block):
    snippet.run(block.code, block.heading)


@pytest.mark.parametrize(
    "code",
    [
        "@hookimpl\ndef normalise(self, batch): ...\n",
        "@hookimpl\ndef normalize(self, batches): ...\n",
        "service.add_stats(named: str) -> None\n",
        "service.no_such_member: str\n",
        "    instance: str\n    no_such_field: int\n",
        "service.emit(event: int, more: int) -> None\n",
    ],
)
def test_a_wrong_block_fails(code):
    with pytest.raises((AssertionError, ConfigError, AttributeError)):
        snippet.run(code, "Flush")


@pytest.mark.parametrize(
    "code",
    [
        "import log_aggregator\nlog_aggregator.no_such_name\n",
        "from log_aggregator import hookimpl\nclass P:\n    @hookimpl\n    def enrich(self, wrong): ...\n",
    ],
)
def test_a_wrong_script_fails(code):
    done = run_python(Block(ROOT / "README.md", "Flush", "python", "", "", code), code)
    assert done.returncode == 1
    assert "Error" in done.stderr


def test_the_readme_shows_the_first_steps_and_they_are_run():
    scripts = "".join(block.code for block in blocks(ROOT / "README.md") if block.is_run)
    for step in ("/ingest", "/patterns", "log-aggregator demo", "log-aggregator send", "log-aggregator patterns"):
        assert step in scripts
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text


def test_the_catalogue_names_every_plugin_under_its_kind():
    told = (ROOT / "docs/reference/plugins.md").read_text(encoding="utf-8")
    assert catalogue_page.page() == told, "a plugin has changed: run `python tools/catalogue_page.py`"
    for path in ROOT.glob("plugins/*/pyproject.toml"):
        assert told.count(f"| [{path.parent.name}](../../plugins/{path.parent.name}/README.md) |") == 1


def test_the_settings_are_those_of_the_code():
    told = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert settings_page.page() == told, "the settings have changed: run `python tools/settings_page.py`"
    helped = subprocess.run(
        [Path(sys.executable).with_name("log-aggregator"), "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in Settings.model_fields:
        assert f"| `{name.upper()}` |" in told
        assert f"\n  {name.upper()} " in helped.stdout


def test_what_authors_import_is_that_of_the_code():
    told = (ROOT / "docs/reference/authors.md").read_text(encoding="utf-8")
    assert authors_page.page() == told, "public names have changed: run `python tools/authors_page.py`"
