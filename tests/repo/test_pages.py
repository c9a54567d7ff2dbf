"""What README.md and docs/ show is run: commands against a real service, Python blocks as what they are.

The pages for plugin authors, which build packages step by step, are run by `tests/e2e/packages/test_tutorials.py`.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from tests.support import snippet
from tests.support.snippet import SCRIPT, kind_of
from tools import authors_page, catalogue_page, docs_links, settings_page

ROOT = Path(__file__).parents[2]
PAGES = docs_links.pages()

BLOCK = re.compile(
    r"^(?:<!-- (?P<marker>\w+)(?:: (?P<expected>.*?))? -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
"""A block; with `<!-- run -->` before it, it is run, and with `<!-- run: text -->` its output holds that text. With
`try` it is run where the service's `data` and `plugins.toml` are, beside a few log files."""

SHELL = {"bash", "console", "sh", "shell"}
RUN_BY_OTHERS = {
    "docs/how-to/mcp.md": "plugins/mcp/tests/test_docs.py",
    "docs/how-to/postgres.md": "plugins/postgres/tests/test_privileges.py",
    "docs/how-to/ten-tasks.md": "tests/e2e/test_ten_tasks.py",
}
"""Pages whose other blocks are tried by a test of their own."""

LEAST_SHARE = 0.70
"""Of the blocks of shell and Python of README.md and docs/. It only ever grows."""

FILES = {
    "app.log": "User 7 logged in\nQuery took 0.05s\n",
    "today.log": "User 8 logged in\n",
    "yesterday.log": "User 9 logged in\n",
}
"""The log files that the pages speak of."""


class Block(NamedTuple):
    page: Path
    heading: str
    language: str
    marker: str
    expected: str
    code: str

    @property
    def is_run(self) -> bool:
        """Whether the reader of the page runs it, in the order of the page."""
        if self.language == "python":
            return self.marker != "file" and kind_of(self.code) == SCRIPT
        return self.marker in {"run", "try"}

    @property
    def is_tried(self) -> bool:
        """Whether some test runs it, or runs what is made of it."""
        by_others = self.marker in {"shell", "file"} or str(self.page.relative_to(ROOT)) in RUN_BY_OTHERS
        return self.is_run or by_others or self.language == "python"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        headings = re.findall(r"^#+ `?(\w+)", text[: found.start()], re.MULTILINE)
        more = found.group("language", "marker", "expected", "code")
        yield Block(page, headings[-1] if headings else "", *(part or "" for part in more))


def name_of(value: Path | Block) -> str:
    if isinstance(value, Block):
        first = value.code.replace("@hookimpl\n", "").replace("@asynccontextmanager\n", "").splitlines()[0]
        return f"{value.page.relative_to(ROOT)}: {value.heading}: {first.strip()[:40]}"
    return str(value.relative_to(ROOT))


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
        service = start_service((ROOT / "plugins.toml").read_text())
        url, here = service.url, service.data_dir.parent
        for name, content in FILES.items():
            (here / name).write_text(content)
        (here / "app.log.2.gz").write_bytes(gzip.compress(b"2026-11-30T08:10:00Z INFO User 7 logged in\n"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "LOG_AGGREGATOR_URL": url, "PATH": path, "PYTHONPATH": ""}
    for block in found:
        code = re.sub(r"http://(localhost|127\.0\.0\.1):8004", url, block.code)
        if block.language == "python":
            done = run_python(block, code)
        else:
            script = code.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
            script = re.sub(r"\bcurl ", "curl --fail-with-body --silent --show-error ", script)
            shell = ["bash", "-euo", "pipefail", "-c", script]
            done = subprocess.run(
                shell,
                cwd=here if block.marker == "try" else ROOT,
                env=environment,
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
