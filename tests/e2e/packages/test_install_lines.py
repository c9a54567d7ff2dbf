"""The lines of pages that install something, in a clean environment whose only index are our wheels.

Those are blocks of docs/explanation/anomalies.md, docs/how-to/edges.md, docs/how-to/send-by-socket.md,
docs/how-to/send-over-http.md, docs/how-to/upgrade.md and docs/reference/analytics.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT
from tests.e2e.packages.test_index import Alone, alone, emptied, found
from tests.support.blocks import PAGES, Block, blocks, name_of

__all__ = ["alone", "emptied"]

LINES = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.marker == "other" and ROOT / block.expected == Path(__file__)
]


@pytest.mark.slow
@pytest.mark.parametrize("block", LINES, ids=name_of)
def test_what_a_page_installs_is_there(block: Block, alone: Alone, wheels: Path, tmp_path: Path) -> None:
    environment = alone("log-aggregator-core")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1", "PIP_CONSTRAINT": ""}
    environment.run("bash", "-euo", "pipefail", "-c", block.code, cwd=tmp_path, environ=offline)
    named = set(re.findall(r"log-aggregator-[a-z-]+", block.code))
    assert named
    assert set(found(environment)[0]) >= named
