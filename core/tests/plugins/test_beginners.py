"""What beginners get wrong: each mistake is told in one line: where, what, what was expected, how to mend it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import ConfigError, Record, hookimpl
from log_aggregator.cli.main import main
from log_aggregator_dev import harness

HEAD = """from contextlib import asynccontextmanager
from log_aggregator import hookimpl
from pydantic import BaseModel, ConfigDict
class Mine:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        words: dict[str, str] = {}
        size: int = 3
    def __init__(self, config):
        self.config = config
"""
HOOK = HEAD + "    @hookimpl\n"
MISTAKES = {
    "an option that is misspelled": (HEAD, "wrods = {}", " wrods: unknown key; did you mean 'words'?"),
    "an option of another type": (HEAD, 'size = "many"', ' size: expected a whole number; found "many"'),
    "a forgotten mark": (
        HEAD + "    def enrich(self, batch): ...\n", "",
        ": Mine.enrich has the name of a hook and is never called; expected @hookimpl above it, or another name",
    ),
    "a hook that is misspelled": (
        HOOK + "    def enrichs(self, batch): ...\n", "", ": enrichs: no such hook; did you mean 'enrich'?",
    ),
    "other parameters": (
        HOOK + "    def enrich(self, records): ...\n", "",
        ": enrich(self, records): wrong parameters; expected enrich(self, batch: Batch)",
    ),
    "a stage that is async": (
        HOOK + "    async def enrich(self, batch): ...\n", "",
        ": enrich is of the wrong kind; expected plain `def`: it runs on whole batches in the pipeline",
    ),
    "a sink that is not": (
        HOOK + "    def on_flush(self, flush): ...\n", "", ": on_flush is of the wrong kind; expected `async def`",
    ),
    "a lifespan that is a generator": (
        HOOK + "    async def lifespan(self, service):\n        yield\n", "",
        ": lifespan is of the wrong kind; expected an async context manager: @hookimpl above @asynccontextmanager",
    ),
    "options that take anything": (
        HEAD.replace('extra="forbid"', ""), "",
        ': mine.py:Mine.Config must have model_config = ConfigDict(extra="forbid")',
    ),
    "a package that is not installed": (
        "import requestz\n" + HEAD, "",
        (
            ": plugins/mine.py cannot be imported: ModuleNotFoundError at mine.py:1: No module named 'requestz'; "
            "expected it installed beside the service: pip install requestz"
        ),
    ),
    "a class that takes no options": (
        HEAD.replace("(self, config):\n        self.config = config", "(self): ..."), "",
        (
            ": cannot be set up: TypeError: Mine.__init__() takes 1 positional argument but 2 were given; "
            "expected __init__(self, config)"
        ),
    ),
    "an exception while it is made": (
        HEAD.replace("= config\n", "= config.word\n"), "",
        ": cannot be set up: AttributeError at mine.py:10: 'Config' object has no attribute 'word'",
    ),
    "a version that is no range": (
        HEAD + '    api = "1"\n', "", ": mine.py:Mine.api is '1'; expected a range such as '>=1,<2'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, options, told = MISTAKES[mistake]
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(code)
    (tmp_path / "plugins.toml").write_text(f'plugins_dir = "plugins"\n[plugins.mine]\n{options}\n')
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    assert capsys.readouterr().err == f"log-aggregator: plugins.toml [plugins.mine]{told}\n"


async def _told_by(lifespan: Any, directory: Path) -> str:
    plugin = type("Mine", (), {"lifespan": hookimpl(asynccontextmanager(lifespan))})()
    with pytest.raises(ConfigError) as caught:
        async with harness(given={"mine": plugin}, data_dir=directory):
            pass
    return str(caught.value)


async def test_ingest_that_is_awaited_in_lifespan_is_told_at_once(tmp_path: Path) -> None:
    async def lifespan(_self: Any, service: Any) -> Any:
        await service.ingest([Record.of("too early")])
        yield

    assert await _told_by(lifespan, tmp_path) == (
        "plugins.toml [plugins.mine]: lifespan awaits service.ingest, which waits for the start; expected it in a "
        "function that is given to service.run"
    )


async def test_a_route_without_a_slash_is_told(tmp_path: Path) -> None:
    async def lifespan(_self: Any, service: Any) -> Any:
        service.add_route("GET", "mine", None)
        yield

    assert await _told_by(lifespan, tmp_path) == (
        "plugins.toml [plugins.mine]: plugin mine: route 'mine': expected a path that begins with /, such as '/mine'"
    )
