"""`log-aggregator plugins`: a table that fits its names, and the options of one plugin from its `Config`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))

FILE = '''
"""A file."""
from typing import Literal
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from log_aggregator import Batch, hookimpl


class Rule(BaseModel):
    word: str = Field(description="the word to look for")
    times: int = 3


class Plugin:
    """Marks logs by words.

    More about it.
    """

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        url: str = Field(description="where to ask")
        mode: Literal["soft", "hard"] = Field("soft", description="how hard")
        rules: list[Rule] = Field([Rule(word="x")], description="the words")
        key: SecretStr = SecretStr("hunter2")
        limit: float | None = None

    def __init__(self, config):
        self.config = config

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        pass
'''


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / "mine").mkdir(exist_ok=True)
    (directory / "mine/a_plugin_with_a_long_name.py").write_text(FILE)
    (directory / "plugins.toml").write_text('plugins_dir = "mine"\n[plugins.patterns]\n[plugins.absent]\n')
    environ = {"PATH": os.environ["PATH"]}
    command = [COMMAND, "plugins", *arguments]
    return subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


def test_the_columns_fit_long_names(tmp_path: Path) -> None:
    lines = run(tmp_path).stdout.splitlines()
    state = {line.split()[0]: line for line in lines}
    assert "not installed" in state["absent"]
    column = state["patterns"].rindex("on")
    assert state["absent"][column:] == "on"
    assert state["a_plugin_with_a_long_name"][column:].startswith(
        "off: not named in plugins.toml; add [plugins.a_plugin"
    )


def test_the_options_of_a_plugin_with_defaults_and_descriptions(tmp_path: Path) -> None:
    done = run(tmp_path, "a_plugin_with_a_long_name")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout
        == """a_plugin_with_a_long_name  (mine/a_plugin_with_a_long_name.py)
  Marks logs by words.

  hooks: enrich

[plugins.a_plugin_with_a_long_name]
  url = …, required  (text)
      where to ask
  mode = "soft"  (one of soft, hard)
      how hard
  rules = [{"word":"x","times":3}]  (list of table)
      the words
      word = …, required  (text)
          the word to look for
      times = 3  (whole number)
  key = ******  (text, secret)
  limit = not set  (number)
"""
    )


def test_every_plugin_of_ours_can_be_described(tmp_path: Path) -> None:
    names = [line.split()[0] for line in run(tmp_path).stdout.splitlines()]
    for name in {"patterns", "redact", "sqlite"} & set(names):
        assert f"[plugins.{name}]" in run(tmp_path, name).stdout


def test_a_name_that_nobody_has_is_told_with_the_nearest(tmp_path: Path) -> None:
    done = run(tmp_path, "paterns")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "log-aggregator: plugins paterns: no plugin of this name is installed; did you mean 'patterns'?\n"
    )


def test_journals_are_listed_apart(tmp_path: Path) -> None:
    pytest.importorskip("log_aggregator_jetstream", reason="needs the package log-aggregator-jetstream")
    (line,) = [line for line in run(tmp_path).stdout.splitlines() if line.split()[0] == "jetstream"]
    assert line.endswith("off: a journal; name it as `kind` in [journal]")
    shown = run(tmp_path, "jetstream").stdout
    assert '[journal]\nkind = "jetstream"\n  servers = ' in shown
    assert "hooks:" not in shown
