"""`log-aggregator check` finds everything that would stop the start, and says one clear line of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from log_aggregator.journal.database import open_journal

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))


def run(directory: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    (directory / "plugins.toml").write_text("[plugins.patterns]\n[plugins.sqlite]\n")
    environment = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(
        [COMMAND, *arguments], cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_good_set_up_is_shown_in_order(tmp_path: Path) -> None:
    done = run(tmp_path, "check", LOG_LEVEL="info")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("plugins.toml: good. The pipeline, in order:")
    assert done.stdout.index("1. patterns") < done.stdout.index("2. sqlite")
    assert "Warning" not in done.stdout


def test_without_a_file_the_built_in_pipeline_is_shown_and_all_else_is_off(tmp_path: Path) -> None:
    pytest.importorskip("log_aggregator_templates", reason="needs the plugins of log-aggregator-service")
    environment = {"PATH": os.environ["PATH"]}
    checked, listed, written = (
        subprocess.run([COMMAND, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        for command in (["check"], ["plugins"], ["config", "--write", "plugins.toml"])
    )
    assert checked.stdout.startswith("the built-in pipeline: good. The pipeline, in order:")
    assert "off: POSTGRES_HOST is not set" in checked.stdout
    assert "off: no part of it; write a plugins.toml: log-aggregator config" in checked.stdout
    assert "patterns" in listed.stdout
    assert written.stderr == "plugins.toml written; log-aggregator check shows the pipeline\n"
    again = subprocess.run(
        [COMMAND, "config", "--write", "plugins.toml"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stderr) == (
        1,
        "log-aggregator config: plugins.toml: exists already; it was left as it is\n",
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"API_KEYS_FILE": "no/such/file"}, "API_KEYS_FILE no/such/file: cannot be read"),
        ({"API_KEYS_FILE": "plugins.toml"}, "plugins.toml plugins: unknown table; expected [keys.<name>]"),
        ({"TRUSTED_PROXIES": "somewhere"}, "TRUSTED_PROXIES: 'somewhere': expected an address or a network"),
        ({"PORT": "abc"}, "environment PORT: 'abc': expected a whole number from 0 to 65535"),
        ({"PORT": "99999"}, "environment PORT: '99999': expected a whole number from 0 to 65535"),
        (
            {"AGGREGATION_WINDOW": "x"},
            "environment AGGREGATION_WINDOW: 'x': expected a number greater than 0 and of at most 3600",
        ),
        ({"DURABILITY": "disk"}, "environment DURABILITY: 'disk': expected one of journal, memory"),
        ({"ALLOW_ANONYMOUS": "perhaps"}, "environment ALLOW_ANONYMOUS: 'perhaps': expected 1 or 0"),
        ({"ALLOWED_ORIGINS": "app"}, "ALLOWED_ORIGINS: 'app': expected a site such as https://"),
        ({"HOST": "0.0.0.0"}, "HOST 0.0.0.0: everyone who reaches this address could"),
    ],
)
def test_what_would_stop_the_start_is_found(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    done = run(tmp_path, "check", **environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"log-aggregator: {said}")
    assert done.stderr.count("\n") == 1


def test_a_misspelled_variable_is_noticed(tmp_path: Path) -> None:
    done = run(tmp_path, "check", BATCHSIZE="5")
    assert done.returncode == 0
    assert "Warning: the environment variable BATCHSIZE is not read; did you mean BATCH_SIZE?" in done.stdout


def test_a_command_of_a_plugin_that_is_not_installed_says_where_it_may_come_from(tmp_path: Path) -> None:
    done = run(tmp_path, "kafka")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "log-aggregator: kafka: no such command; if a plugin brings it: pip install log-aggregator-kafka\n"
    )
    assert "did you mean 'check'?" in run(tmp_path, "chekc").stderr


def test_a_journal_that_cannot_be_written_stops_the_start_with_one_line(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "data")
    journal.connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON lanes BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    )
    journal.connection.close()
    journal.lock.close()
    done = run(tmp_path, "serve", PORT="0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == ("log-aggregator: the journal cannot be written: database or disk is full")
    assert "Traceback" not in done.stderr
