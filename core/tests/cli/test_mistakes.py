"""What `check` and `serve` answer to the mistakes that people make most: where · what · what was expected."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from log_aggregator.cli.main import main
from log_aggregator.errors import ConfigError
from log_aggregator.listeners.reasons import cannot_listen


def check(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch, **environ: str) -> int:
    """Run `check` in a directory with this `plugins.toml`, and no other settings than these."""
    (directory / "plugins.toml").write_text(text)
    monkeypatch.chdir(directory)
    for name in set(os.environ) - {"PATH", "HOME"}:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return main(["check"])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[plugin.sqlite]\n", "plugin: unknown table; expected [plugins.<name>]"),
        ("[plugins.sqllite]\n", "[plugins.sqllite]: no installed package has a plugin of this name; did you mean 'sql"),
        ("[plugins.sqlite]\nretention = 3\n", "[plugins.sqlite] retention: unknown key; did you mean 'retention_days'"),
        ("[plugins.sqlite\n", "plugins.toml: not valid TOML: "),
        ("[plugins.sqlite]\npath = 5\n", "[plugins.sqlite] path: expected a path, as a text; found a whole number"),
        ("[plugins.patterns]\non_error = 'skip'\n", "on_error: expected 'continue', 'wait' or 'refuse'"),
        ("plugins = ['sqlite']\n", "plugins: expected tables [plugins.<name>]"),
        ("[plugins.kafka]\n", "try: pip install log-aggregator-kafka"),
        ("[plugins.sqlite]\n[[rules]]\nsearch = 'a'\nmore_then = 0\n", "more_then: unknown key; did you mean 'more_"),
        ("[plugins.patterns]\nrules = [{ name = 'X', regex = '(' }]\n", "rules.#1.regex: not a regular expression"),
    ],
)
def test_a_mistake_in_the_file_is_named(text, answer, tmp_path, monkeypatch, capsys):
    assert check(tmp_path, text, monkeypatch) == 1
    assert answer in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "answer"),
    [
        ({"PORT": "abc"}, "environment PORT: 'abc': expected a whole number from 0 to 65535"),
        ({"LOG_LEVEL": "verbose"}, "expected one of DEBUG, INFO, WARNING, ERROR"),
        ({"AGGREGATION_WINDOW": "30s"}, "environment AGGREGATION_WINDOW: '30s': expected a number"),
        ({"HOST": "0.0.0.0"}, "HOST 0.0.0.0: everyone who reaches this address"),
        ({"API_KEYS_FILE": "keys.toml"}, "API_KEYS_FILE keys.toml: cannot be read"),
    ],
)
def test_a_mistake_in_the_environment_is_named(environ, answer, tmp_path, monkeypatch, capsys):
    assert check(tmp_path, "[plugins.sqlite]\n", monkeypatch, **environ) == 1
    assert answer in capsys.readouterr().err


def test_what_is_off_stands_in_the_order_of_the_alphabet(tmp_path, monkeypatch, capsys):
    assert check(tmp_path, "[plugins.sqlite]\n", monkeypatch) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if " off: " in line]
    assert [name for _, name, *_ in lines] == sorted(name for _, name, *_ in lines)


def test_a_port_that_is_taken_is_said_to_be():
    with socket.socket() as taken, socket.socket() as second:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match=r".") as error:
            second.bind(taken.getsockname())
    assert cannot_listen("PORT 1", error.value) == (
        "PORT 1: cannot listen: another program listens there already: end it, or choose another port"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "ports below 1024 are for root"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign"), "this machine has no such address"),
        (socket.gaierror(-2, "Name or service not known"), "no host has this name"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    ],
)
def test_other_reasons_say_what_to_do(error, said):
    assert said in cannot_listen("HOST x", error)


def test_serve_ends_with_that_line(tmp_path, monkeypatch, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        check(tmp_path, "[plugins.sqlite]\n", monkeypatch, PORT=port, DATA_DIR=str(tmp_path / "data"))
        try:
            code = main(["serve"])
        except (SystemExit, ConfigError) as error:
            code = getattr(error, "code", 1)
    assert code == 1
    assert f"PORT {port}: cannot listen: another program listens there already" in capsys.readouterr().err
