"""The pages for plugin authors: every code block is run, written to a file, or found in the generated package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.packages.clean import ROOT, CleanEnvironment

DOCS = ROOT / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if "\n<!-- shell" in page.read_text(encoding="utf-8")]
BLOCK = re.compile(r"(?:^<!-- (?P<marker>[^\n]+) -->\n)?^```\w+\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    marker: str
    code: str


def blocks(page: Path) -> list[Block]:
    return [Block(found["marker"] or "", found["code"]) for found in BLOCK.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_code_of_a_page_works(clean: CleanEnvironment, tmp_path: Path, page: Path) -> None:
    """As a reader would: one block after another, in the directory where the last one ended."""
    directory = tmp_path
    found = blocks(page)
    assert found
    for marker, code in found:
        action, _, argument = marker.partition(": ")
        if action == "file":
            (directory / argument).write_text(code, encoding="utf-8")
        elif action == "in":
            assert code in (directory / argument).read_text(encoding="utf-8"), (
                f"{argument} holds no such lines:\n{code}"
            )
        elif action == "shell":
            output, directory = _shell(clean, code, directory)
            assert argument in output, f"{code}\n{output}"
        else:
            pytest.fail(f"a block that nobody runs; expected <!-- shell -->, file: or in: before it:\n{code}")


def _shell(clean: CleanEnvironment, script: str, directory: Path) -> tuple[str, Path]:
    offline = "--no-deps --no-build-isolation --quiet --force-reinstall"
    script = script.replace("pip install -e '.[test]'", f"pip install {offline} .")
    script = script.replace("pip install .", f"pip install {offline} .").replace(f"{offline} {offline}", offline)
    script = script.replace("pip wheel", "pip wheel --no-build-isolation")
    output = clean.run("bash", "-euo", "pipefail", "-c", f"{script}\necho; pwd", cwd=directory)
    return output, Path(output.rstrip().rpartition("\n")[2])
