"""`send` and `demo` as a person types them: what is printed, and the exit code."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from log_aggregator_service.commands.screen import plain

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))


def run(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, *arguments]
    done = subprocess.run(command, input=stdin, cwd=cwd, capture_output=True, timeout=120, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_file_of_raw_lines(server, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {number}\n" for number in range(2500)))
    done = run("send", str(path), "--url", server.url, "--source", "shop", "--level", "WARN")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("2,500 logs accepted in ")
    assert server.logs[7] == {"message": "line 7", "source": "shop", "level": "WARN"}
    assert len(server.requests) == 3


def test_says_which_lines_were_refused_and_why(server):
    lines = [json.dumps({"message": "good"}), "{}", *[json.dumps({"message": number}) for number in range(9)], ""]
    done = run("send", "-", "--url", server.url, stdin="\n".join(lines).encode())
    assert done.returncode == 1
    assert done.stderr.startswith("1 log accepted")
    assert "10 refused:\n  line 2: message: expected text\n" in done.stderr
    assert "… and 5 more" in done.stderr


@pytest.mark.parametrize("document", ['{"logs": [{"message": "good"}, {}]}', '[{"message": "good"},\n\n\n{}]'])
def test_of_a_document_it_names_the_entry(server, document):
    done = run("send", "-", "--url", server.url, stdin=document.encode())
    assert done.returncode == 1
    assert "1 refused:\n  entry 2: message: expected text\n" in done.stderr


@pytest.mark.parametrize(
    ("module", "program"), [("gzip", "zcat"), ("bz2", "bzcat"), ("lzma", "xzcat"), ("zstandard", "zstdcat")]
)
def test_compressed_data_is_not_sent_as_text(server, tmp_path, module, program):
    path = tmp_path / "app.log.1"
    path.write_bytes(importlib.import_module(module).compress(b"one\n" * 1000))
    for command in (["send", str(path), "--url", server.url], ["patterns", str(path)]):
        (tmp_path / "plugins.toml").write_text("[plugins.patterns]\n")
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 1
        assert f"compressed; unpack it first: {program} FILE | " in done.stderr
    assert server.logs == []


def test_a_service_that_is_away_is_not_hidden():
    done = run("send", "-", "--url", "http://127.0.0.1:1", "--patience", "0.2", stdin=b"one\n")
    assert done.returncode == 1
    assert "0 logs accepted" in done.stderr
    assert "no answer (ConnectionRefusedError" in done.stderr


def test_sends_no_faster_than_asked(server):
    started = time.monotonic()
    done = run("send", "-", "--url", server.url, "--rate", "100", stdin=b"line\n" * 150)
    assert done.returncode == 0
    assert time.monotonic() - started > 1
    assert len(server.requests) == 8


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["send", "/no/such/file"], "log-aggregator send: /no/such/file: No such file or directory\n"),
        (["send", "/"], "log-aggregator send: /: a directory; send its files one by one\n"),
        (["send", "-", "--url", "gopher://x"], "expected an address such as http://127.0.0.1:8004"),
        (["send", "-", "--batch", "0"], "'0': expected a whole number above 0"),
        (["demo", "--rate", "-1"], "'-1': expected a number above 0"),
        (["demo", "--incident", "soon"], "'soon': expected seconds such as 30 or 30:20"),
    ],
)
def test_wrong_arguments_are_named(arguments, text):
    done = run(*arguments)
    assert done.returncode == 2
    assert text in done.stderr


def test_demo_keeps_its_rate_and_sends_every_log_once(server):
    started = time.time()
    done = run("demo", "--url", server.url, "--rate", "200", "--seconds", "2", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert time.time() - started > 1.5
    assert 300 < len(server.logs) < 500
    assert f"{len(server.logs):,} logs accepted" in done.stderr


def test_demo_writes_ndjson_and_ends_with_its_reader():
    done = subprocess.run(
        f"{COMMAND} demo --stdout | head -n 3", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert [set(json.loads(line)) for line in done.stdout.splitlines()] == [
        {"timestamp", "level", "source", "message", "metadata"}
    ] * 3
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["send", "demo", "patterns"])
def test_help_shows_examples(command):
    assert f"examples:\n  log-aggregator {command}" in run(command, "--help").stdout


def test_a_log_cannot_move_the_cursor_or_color_the_terminal():
    assert plain("\x1b[2J\x1b]0;title\x07 café\tend\u202e") == "·[2J·]0;title· café·end·"
    assert plain("plain {ID} ✓") == "plain {ID} ✓"
