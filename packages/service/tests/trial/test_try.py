"""`log-aggregator try`: what became of each log, told for people and programs, and again at every change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))
STAGE = """
from pydantic import BaseModel, ConfigDict
from log_aggregator import Batch, hookimpl

class Mine:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        pass

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if "noise" in record.message:
                batch.drop(record, "too loud")
            if "wrong" in record.message:
                batch.reject(record, "not wanted")

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            if "break" in record.message:
                raise ValueError(f"cannot read {record.message}")
            record.category, record.tags = "mine", ("WORD",)
            record.metadata = {**record.metadata, "length": len(record.message)}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "plugins.toml").write_text("[plugins.patterns]\n[plugins.sqlite]\n")
    (tmp_path / "mine.py").write_text(STAGE)

    def command(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"]}
        return subprocess.run(
            [COMMAND, "try", *arguments],
            cwd=tmp_path, env=environ, input=text, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return command


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]


def test_each_log_with_what_became_of_it(run: Run) -> None:
    log = json.dumps(
        {"msg": "User 7 left", "level": "warning", "service": "shop", "ts": "2026-01-02T03:04:05Z", "n": 1}
    )
    done = run("-", "--json", "--plugin", "mine.py", "--format", "ndjson", text=f"{log}\n{{}}\nno object\n")
    assert done.returncode == 0, done.stderr
    first, second, third = objects(done)
    assert first == {
        "number": 1, "outcome": "kept", "message": "User 7 left", "level": "WARN", "level_is_explicit": True,
        "time": "2026-01-02T03:04:05Z", "source": "shop", "pattern": "User {ID} left",
        "pattern_id": first["pattern_id"], "category": "mine", "tags": ["WORD"],
        "metadata": {"n": 1, "length": 11}, "failures": [],
    }  # fmt: skip
    assert (second["outcome"], second["by"], second["reason"]) == (
        "rejected",
        "fields",
        "message: missing, expected a text",
    )
    assert third["outcome"] == "rejected"


def test_dropped_rejected_and_failed_by_whom(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("a noise\nsomething wrong\nplease break 5\nfine 6\n")
    done = run("app.log", "--json", "--plugin", "mine.py")
    assert done.returncode == 1
    dropped, rejected, broken, fine = objects(done)
    assert (dropped["outcome"], dropped["by"], dropped["reason"]) == ("dropped", "mine", "too loud")
    assert (rejected["outcome"], rejected["by"], rejected["reason"]) == ("rejected", "mine", "not wanted")
    (failure,) = broken["failures"]
    assert (failure["plugin"], failure["hook"]) == ("mine", "enrich")
    assert failure["error"].startswith("ValueError at mine.py:")
    assert failure["error"].endswith(": cannot read please break 5")
    assert (broken["outcome"], broken["category"]) == ("kept", "")
    assert (fine["category"], fine["failures"]) == ("mine", [])
    text = run("app.log", "--plugin", "mine.py").stdout
    assert "   dropped   by mine: too loud\n" in text
    assert "   pattern   fine {ID}  (" in text
    assert "   level     INFO (not sent)\n" in text
    assert text.endswith("4 logs: 2 kept in 2 patterns, 1 dropped, 1 rejected, 1 at which a stage failed\n")


def test_a_line_ends_at_a_newline_alone(run: Run) -> None:
    done = run("-", "--json", text="one\x0ctwo\u2028three\x1cfour\r\n\nfive")
    assert [(one["number"], one["message"]) for one in objects(done)] == [
        (1, "one�two\u2028three�four"),
        (3, "five"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.log",), "log-aggregator try: missing.log: No such file or directory\n"),
        (("-", "--plugin", "missing.py"), "--plugin missing.py: no such file; expected a Python file with a plugin\n"),
        (("-", "--plugins", "missing.toml"), "missing.toml: no such file; it names the pipeline"),
    ],
)
def test_what_is_missing_is_named(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.timeout(90)
def test_watch_shows_the_effect_of_a_saved_rule_and_of_a_plugin(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("[[rules]]\nname = 'a'\nregex = 'TCK-[a-z]+'\nplaceholder = '{ONE}'\n")
    (tmp_path / "plugins.toml").write_text("[plugins.patterns]\nrule_files = ['rules.toml']\n")
    (tmp_path / "app.log").write_text("closed TCK-abc\n")
    command = [COMMAND, "try", "app.log", "--json", "--watch", "--plugin", "mine.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["pattern"] == "closed {ONE}"
            saved = time.monotonic()
            (tmp_path / "rules.toml").write_text("[[rules]]\nname = 'a'\nregex = 'TCK-[a-z]+'\nplaceholder = '{TWO}'\n")
            assert json.loads(process.stdout.readline())["pattern"] == "closed {TWO}"
            print(f"from saving a rule to its effect: {time.monotonic() - saved:.2f} s")
            (tmp_path / "mine.py").write_text(STAGE.replace("WORD", "next"))
            assert json.loads(process.stdout.readline())["tags"] == ["next"]
            (tmp_path / "mine.py").write_text("def (:\n")
            assert process.stderr is not None
            assert any("SyntaxError" in process.stderr.readline() for _ in range(9))
            (tmp_path / "mine.py").write_text(STAGE.replace("WORD", "again"))
            assert json.loads(process.stdout.readline())["tags"] == ["again"]
        finally:
            process.kill()
