"""The lines of pages that install something, in a clean environment whose only index are our wheels.

Those are blocks of docs/explanation/anomalies.md, docs/how-to/edges.md, docs/how-to/send-by-socket.md,
docs/how-to/send-over-http.md, docs/how-to/upgrade.md and docs/reference/analytics.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT, CleanEnvironment
from tests.e2e.packages.test_index import alone, emptied
from tests.support.blocks import PAGES, blocks, name_of

__all__ = ["alone", "emptied"]

LINES = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.marker == "other" and ROOT / block.expected == Path(__file__)
]


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_what_the_pages_install_is_there(emptied: CleanEnvironment, wheels: Path, tmp_path: Path) -> None:
    """One after the other, as each of pip's starts takes seconds; the environment is emptied afterwards."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1", "PIP_CONSTRAINT": ""}
    assert len(LINES) >= 6
    for block in LINES:
        emptied.run("bash", "-euo", "pipefail", "-c", block.code, cwd=tmp_path, environ=offline)
        named = set(re.findall(r"log-aggregator-[a-z-]+", block.code))
        assert named, name_of(block)
        assert {one.metadata["Name"] for one in emptied.ours()} >= named, name_of(block)
