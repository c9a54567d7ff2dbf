"""`log-aggregator test`: the tests of plugins.toml and of rule packs, with a diff, and without anything learned."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))


def run(directory: Path, pipeline: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (directory / "plugins.toml").write_text(pipeline)
    command = [COMMAND, "test", *arguments]
    environ = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, timeout=120, check=False)


GOOD = """
[plugins.redact]
[plugins.patterns]
[plugins.classify]
[plugins.sqlite]

[[tests]]
message = "User 123 logged in"
pattern = "User {ID} logged in"
level = "INFO"
tags = ["auth"]
dropped = false

[[tests]]
log = { msg = "connect failed", level = "err", service = "shop", ts = "2026-01-02T03:04:05Z", code = 7, other = 8 }
level = "ERROR"
source = "shop"
time = "2026-01-02T03:04:05Z"
metadata = { code = 7 }
"""


def test_tests_that_hold(tmp_path: Path) -> None:
    done = run(tmp_path, GOOD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 tests, 0 failed\n", "")


def test_a_difference_is_shown_and_with_names_no_text_is(tmp_path: Path) -> None:
    wrong = GOOD.replace("User {ID} logged in", "User {NAME} logged in").replace("{ code = 7 }", "{ code = 9, no = 1 }")
    done = run(tmp_path, wrong)
    assert done.returncode == 1
    assert (
        "plugins.toml [[tests]] 1: User 123 logged in\n"
        "  - pattern = User {NAME} logged in\n  + pattern = User {ID} logged in\n"
    ) in done.stdout
    assert "  - metadata = {'code': 9, 'no': 1}\n  + metadata = {'code': 7}\n" in done.stdout
    assert done.stdout.endswith("2 tests, 2 failed\n")
    assert (
        run(tmp_path, wrong, "--names").stdout
        == "plugins.toml [[tests]] 1: pattern\nplugins.toml [[tests]] 2: metadata\n"
    )


def test_tests_of_a_rule_file_run_too(tmp_path: Path) -> None:
    rules = "[[rules]]\nname = 'a'\nregex = 'TCK-[a-z]+'\nplaceholder = '{T}'\n[[tests]]\nmessage = 'x TCK-ab'\n"
    (tmp_path / "rules.toml").write_text(rules + "pattern = 'x {T}'\n")
    pipeline = "[plugins.patterns]\nrule_files = ['rules.toml']\n"
    assert run(tmp_path, pipeline).stdout == "1 tests, 0 failed\n"
    (tmp_path / "rules.toml").write_text(rules + "pattern = 'y'\n")
    assert (
        "plugin patterns [[tests]] 1: x TCK-ab\n  - pattern = y\n  + pattern = x {T}\n"
        in run(tmp_path, pipeline).stdout
    )


def test_every_test_starts_with_nothing_learned(tmp_path: Path) -> None:
    tests = "".join(
        f'[[tests]]\nmessage = "{name} went home early today"\npattern = "{name} went home early today"\n'
        for name in ("alice", "bob", "carol", "dave", "erin", "frank")
    )
    assert run(tmp_path, f"[plugins.patterns]\n[plugins.templates]\n{tests}").stdout == "6 tests, 0 failed\n"


def test_a_dropped_log_is_expected_by_plugin(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/sampler.py").write_text("""
from pydantic import BaseModel, ConfigDict
from log_aggregator import Batch, hookimpl
class Sampler:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
    def __init__(self, config):
        pass
    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            batch.drop(record, "loud")
""")
    head = 'plugins_dir = "mine"\n[plugins.sampler]\n'
    test = '[[tests]]\nmessage = "x"\n'
    assert run(tmp_path, head + test + 'dropped = "sampler"\n' + test + "dropped = true\n").returncode == 0
    wrong = run(tmp_path, head + test + 'pattern = "x"\n' + test + "rejected = true\n").stdout
    assert "  - outcome = kept\n  + outcome = dropped by sampler: loud\n" in wrong
    assert "  - rejected = True\n  + rejected = False\n" in wrong


def test_without_tests_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "[plugins.patterns]\n")
    assert (done.returncode, done.stdout) == (0, "no [[tests]] in plugins.toml or its plugins\n")
