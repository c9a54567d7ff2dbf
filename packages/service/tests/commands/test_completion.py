"""Completions and the manual page name every command and option, and shells read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from log_aggregator.cli.main import commands, main

PROBE = """
source "$1"
COMP_WORDS=(log-aggregator {words}); COMP_CWORD={place}
_log_aggregator
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def written(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", form]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["bash", "zsh", "fish", "man"])
def test_every_command_is_named(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = written(form, capsys).replace("\\-", "-")
    assert [name for name, _, _ in commands() if name not in text] == []
    assert ("-l since" if form == "fish" else "--since") in text


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [("sea", 1, ["search"]), ("search --ex", 2, ["--export"]), ("serve", 1, ["serve"]), ("search level", 2, [""])],
)
def test_bash_completes(
    words: str, place: int, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(written("bash", capsys))
    command = ["bash", "-c", PROBE.format(words=words, place=place), "probe", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["-n"]), ("fish", ["--no-execute"])])
def test_other_shells_read_theirs(
    shell: str, check: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(written(shell, capsys))
    subprocess.run([shell, *check, str(script)], timeout=30, check=True)
