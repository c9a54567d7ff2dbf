"""Blocks of pages whose last command goes on until somebody ends it: a service, or a file that is followed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.blocks import PAGES, ROOT, Block, blocks, environment, lay_out, name_of, script_of
from tests.support.service import START_DEADLINE, STOP_DEADLINE, StartService

GOING = [block for page in PAGES for block in blocks(page) if block.marker == "goes"]
KEYS = "log-aggregator keys new reader --scope read --file keys.toml"
"""What a reader of the page has done before."""


def pipeline_of(block: Block) -> str:
    """The `plugins.toml` that the page shows before the block, or that of the repository."""
    text = block.page.read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(\[plugins\..*?)```", text[: text.index(block.code)], re.DOTALL)
    return shown[-1] if shown else (ROOT / "plugins.toml").read_text(encoding="utf-8")


def wait_until(is_so: Callable[[], bool], output: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait; fails with the output when the process ends before, or when it takes too long."""
    deadline = time.monotonic() + START_DEADLINE
    while not is_so():
        assert process.poll() is None, output.read_text(errors="replace")
        assert time.monotonic() < deadline, output.read_text(errors="replace")
        time.sleep(0.02)


def run_until(is_so: Callable[[str], bool], here: Path, script: str, environ: dict[str, str]) -> None:
    """Run the script until something is so of its output, then end it as Ctrl-C would."""
    output = here / "output.txt"
    with output.open("wb") as target:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=here,
            env=environ,
            stdout=target,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: is_so(output.read_text(errors="replace")), output, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        code = process.wait(STOP_DEADLINE)
    assert code in {0, 130, -signal.SIGINT}, output.read_text(errors="replace")


@pytest.mark.parametrize("block", GOING, ids=name_of)
def test_a_block_that_goes_on_does_so(block: Block, start_service: StartService, tmp_path: Path) -> None:
    service = start_service() if " send " in block.code else None
    url = service.url if service else ""
    here = tmp_path / "here"
    here.mkdir()
    paths = lay_out(here)
    (here / "plugins.toml").write_text(pipeline_of(block))
    subprocess.run(["bash", "-ec", KEYS], cwd=here, env=environment(), check=True, capture_output=True, timeout=60)
    own = {"PORT": "0", "DATA_DIR": str(here / "data"), "HOME": str(here), "LOG_AGGREGATOR_URL": url}

    def is_so(output: str) -> bool:
        came = service is None or service.get("/stats")["logs"]["accepted"] >= 2
        return block.expected in output and came

    run_until(is_so, here, script_of(block.code, paths, url), environment() | own)
