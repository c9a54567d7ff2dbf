"""`send` and `demo` as a person types them: what is printed, and the exit code."""

from __future__ import annotations

import gzip
import importlib
import json
import os
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
    assert "10 refused:\n  10 x message: expected text (first: line 2)\n" in done.stderr


@pytest.mark.parametrize("document", ['{"logs": [{"message": "good"}, {}]}', '[{"message": "good"},\n\n\n{}]'])
def test_of_a_document_it_names_the_entry(server, document):
    done = run("send", "-", "--url", server.url, stdin=document.encode())
    assert done.returncode == 1
    assert "1 refused:\n  1 x message: expected text (first: entry 2)\n" in done.stderr


@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma", "zstandard"])
def test_compressed_files_and_pipes_are_unpacked(server, tmp_path, module):
    path = tmp_path / "app.log.1"
    path.write_bytes(importlib.import_module(module).compress(b"one\n  more\ntwo\n" * 1000))
    assert run("send", str(path), "--url", server.url).returncode == 0
    assert server.messages == ["one\n  more", "two"] * 1000
    assert run("send", "-", "--url", server.url, "--lines", stdin=path.read_bytes()).returncode == 0
    assert server.messages[2000:] == ["one", "  more", "two"] * 1000


def test_what_is_broken_is_sent_up_to_there_and_named(server, tmp_path):
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(b"".join(b"line %d\n" % (n * n) for n in range(20_000)))[:-9000])
    done = run("send", str(path), "--url", server.url)
    assert done.returncode == 1
    assert f"stopped: {path}: the compressed data is truncated" in done.stderr
    assert 1000 < len(server.logs) < 20_000


def test_several_files_and_patterns_the_oldest_part_first(server, tmp_path):
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress(b"a\n"))
    (tmp_path / "app.log.1").write_text("b\n")
    (tmp_path / "app.log").write_text("c\n{}\n")
    (tmp_path / "other.log").write_text("d\n")
    for second, name in enumerate(["app.log.2.gz", "app.log.1", "app.log", "other.log"]):
        os.utime(tmp_path / name, (second, second))
    done = run("send", str(tmp_path / "app.log*"), str(tmp_path / "other.log"), "--url", server.url)
    assert server.messages == ["a", "b", "c", "d"]
    assert f"1 x message: expected text (first: {tmp_path / 'app.log'} line 2)" in done.stderr


def test_names_of_fields_may_be_told(server, tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_text('{"text": "a", "sev": "warn", "app": "own"}\n{"text": {"in": "x"}, "message": "b"}\n')
    done = run("send", str(path), "--url", server.url, "--map", "message=text,level=sev", "--source", "shop")
    assert (done.returncode, server.logs[0]) == (1, {"message": "a", "level": "warn", "app": "own"})
    assert run("send", "x", "--map", "messag=text").returncode == 2


def test_a_service_that_is_away_is_said_at_once(tmp_path):
    for command in (["send", "-"], ["demo", "--count", "1"]):
        started = time.monotonic()
        process = subprocess.Popen(
            [COMMAND, *command, "--url", "http://127.0.0.1:1"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdin
        assert process.stderr
        process.stdin.write("one\n")
        process.stdin.close()
        line = process.stderr.readline()
        assert line.startswith(f"log-aggregator {command[0]}: http://127.0.0.1:1: no answer (ConnectionRefusedError")
        assert line.endswith("; waiting for the service for up to 60 s (--patience)\n")
        assert time.monotonic() - started < 30
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_service_that_is_away_is_not_hidden():
    done = run("send", "-", "--url", "http://127.0.0.1:1", "--patience", "0.2", stdin=b"one\n")
    assert done.returncode == 1
    assert "0 logs accepted" in done.stderr
    assert "waiting for the service for up to 0.2 s" in done.stderr
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
        (["send", "/"], "log-aggregator send: /: a directory; name its files, such as /*.log\n"),
        (["send", "no*such"], "no*such: no file matches\n"),
        (["send"], "expected files, - for standard input, or --from journald\n"),
        (["send", "-", "--follow"], "--follow: expected files; standard input is read to its end anyway\n"),
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
