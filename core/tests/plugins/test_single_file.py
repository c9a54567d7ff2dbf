"""A plugin in a single file of `plugins_dir`: found by its name, loaded anew each time, and told apart when wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from log_aggregator import ConfigError, Record
from log_aggregator.config.pipeline import plugins_in_files, read_plugins_file
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.registry import Registry

STAGE = """
from __future__ import annotations
from pydantic import BaseModel, ConfigDict
from log_aggregator import Batch, hookimpl

class Shout:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        end: str = "!"

    def __init__(self, config: Config) -> None:
        self.config = config

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        for record in batch:
            record.pattern = record.message.upper() + self.config.end
"""


def registry(directory: Path, table: str = "[plugins.shout]\n", stage: str = STAGE) -> Registry:
    (directory / "mine").mkdir(exist_ok=True)
    (directory / "mine/shout.py").write_text(stage)
    file = directory / "plugins.toml"
    file.write_text(f'plugins_dir = "mine"\n{table}')
    return Registry(read_plugins_file(file), {})


def pattern(loaded: Registry) -> str:
    batch = WorkingBatch([Record.of("hello")])
    batch.call("normalize", loaded.plugins[0].hooks["normalize"])
    return batch.records()[0].pattern


def test_it_runs_with_its_options_and_is_loaded_anew(tmp_path: Path) -> None:
    assert pattern(registry(tmp_path)) == "HELLO!"
    assert pattern(registry(tmp_path, '[plugins.shout]\nend = "?"\n')) == "HELLO?"
    assert pattern(registry(tmp_path, stage=STAGE.replace(".upper()", ".title()"))) == "Hello!"
    assert plugins_in_files(tmp_path / "plugins.toml") == {"shout": tmp_path / "mine/shout.py"}


def test_of_two_saves_in_one_second_the_later_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    registry(tmp_path)
    file = tmp_path / "mine/shout.py"
    os.utime(file, (1, 1))
    assert pattern(Registry(read_plugins_file(tmp_path / "plugins.toml"), {})) == "HELLO!"
    file.write_text(STAGE.replace(".upper()", ".title()"))
    os.utime(file, (1, 1))
    assert pattern(Registry(read_plugins_file(tmp_path / "plugins.toml"), {})) == "Hello!"


@pytest.mark.parametrize(
    ("table", "stage", "said"),
    [
        ("[plugins.shout]\ned = 1\n", STAGE, r"\[plugins.shout\] ed: unknown key; did you mean 'end'"),
        ("[plugins.shout]\nend = 1\n", STAGE, r"end: expected a text; found a whole number$"),
        ("[plugins.shout]\n", "x = 1\n", "shout.py has no plugin; expected a class with a pydantic model `Config`"),
        ("[plugins.shout]\n", f"{STAGE}\nclass Cry(Shout): ...\n", "several plugins: Shout, Cry; expected one"),
        ("[plugins.shout]\n", "def (:\n", "shout.py cannot be imported: SyntaxError: "),
        ("[plugins.shout]\n", "import no_such_thing\n", r"ModuleNotFoundError at shout\.py:1: No module named"),
        ("[plugins.shout]\nisolated = true\n", STAGE, "a single file has no process of its own: make a package"),
        ("[plugins.shout]\n", STAGE.replace("    @hookimpl\n", ""), r"Shout\.normalize has the name of a hook"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, table: str, stage: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        registry(tmp_path, table, stage)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "plugins.toml").write_text('plugins_dir = "there"\n')
    with pytest.raises(ConfigError, match=r"plugins_dir: .*there: no such directory"):
        read_plugins_file(tmp_path / "plugins.toml")
