"""`make run` in a fresh clone does all the set-up and starts the service: README.md, docs/how-to/install.md."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT
from tests.support.blocks import blocks
from tests.support.postgres import free_port
from tests.support.service import STOP_DEADLINE
from tools.first_pattern import ask

DEADLINE = 500.0


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of the repository, without what was built beside them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: nobody can say which files belong to the tree")
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("tests/", "docs/")):
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


@pytest.mark.slow
@pytest.mark.usefixtures("package_registry")
def test_one_command_sets_up_a_clone_and_starts_the_service(clone: Path, tmp_path: Path) -> None:
    commands = [
        one.code.split("#")[0].strip()
        for page in ("README.md", "docs/how-to/install.md")
        for one in blocks(ROOT / page)
        if one.marker == "other" and ROOT / one.expected == Path(__file__)
    ]
    assert commands == ["make run", "make run"]
    output, port = tmp_path / "output.txt", free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    with output.open("wb") as target:
        process = subprocess.Popen(
            commands[0].split(),
            cwd=clone,
            env={**inherited, "PORT": str(port), "DATA_DIR": str(tmp_path / "data")},
            stdout=target,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + DEADLINE
        while not (tmp_path / "data/service.json").exists():
            assert process.poll() is None, output.read_text(errors="replace")
            assert time.monotonic() < deadline, output.read_text(errors="replace")
            time.sleep(0.05)
        ask(f"http://127.0.0.1:{port}/ingest", {"message": "User 123 logged in", "source": "try"})
        ask(f"http://127.0.0.1:{port}/flush", {})
        assert "User {ID} logged in" in ask(f"http://127.0.0.1:{port}/patterns")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_DEADLINE)
