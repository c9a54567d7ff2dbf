"""`log-aggregator serve --dev`: the service starts again whenever a plugin is saved, and waits for a good one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))
STAGE = """
from pydantic import BaseModel, ConfigDict
from log_aggregator import hookimpl
from contextlib import asynccontextmanager

class Mine:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        pass

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        service.add_stats("mine", lambda: {"word": "WORD"})
        yield
"""
DEADLINE = 240.0


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.py").write_text(STAGE)
    (tmp_path / "plugins.toml").write_text('plugins_dir = "mine"\n[plugins.mine]\n')
    environ = {"PATH": os.environ["PATH"], "PORT": "0", "DATA_DIR": str(tmp_path / "data")}
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen([COMMAND, "serve", "--dev"], cwd=tmp_path, env=environ, stdout=output, stderr=output)
        yield process
        process.terminate()
        assert process.wait(DEADLINE) == 0


def wait_for(what: Callable[[], Any], why: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def word(directory: Path) -> str:
    try:
        url = json.loads((directory / "data/service.json").read_text())["url"]
        with urllib.request.urlopen(f"{url}/stats", timeout=5) as answer:
            return str(json.load(answer)["plugins"]["mine"]["figures"]["word"])
    except (OSError, ValueError, KeyError):
        return ""


def test_a_saved_plugin_runs_and_a_broken_one_is_told(dev: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_for(lambda: word(tmp_path) == "WORD", "it starts")
    first = json.loads((tmp_path / "data/service.json").read_text())["pid"]
    (tmp_path / "mine/mine.py").write_text(STAGE.replace("WORD", "second"))
    wait_for(lambda: word(tmp_path) == "second", "it starts again")
    (tmp_path / "mine/mine.py").write_text("def (:\n")
    wait_for(lambda: "cannot be imported: SyntaxError" in (tmp_path / "output").read_text(), "the mistake is told")
    (tmp_path / "mine/mine.py").write_text(STAGE.replace("WORD", "third"))
    wait_for(lambda: word(tmp_path) == "third", "it waits for a good file")
    last = json.loads((tmp_path / "data/service.json").read_text())["pid"]
    assert last not in {first, dev.pid}
    dev.send_signal(signal.SIGTERM)
    assert dev.wait(DEADLINE) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)
