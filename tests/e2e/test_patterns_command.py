"""`log-aggregator patterns`: one line for every line, in order, as known after the last one."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
import zstandard

from log_aggregator import pattern_id
from tests.support.service import COMMAND

PLUGIN = """
from contextlib import asynccontextmanager
from pydantic import BaseModel, ConfigDict
from log_aggregator import hookimpl
from log_aggregator.sinks import Alias


class Late:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        refuse: bool = False

    def __init__(self, config):
        self.config = config

    @hookimpl
    def on_ingest(self, batch):
        for record in batch:
            if record.message == "unwanted":
                batch.reject(record, "no")
            if record.message == "leave":
                raise SystemExit(0)

    @hookimpl
    def normalize(self, batch):
        for record in batch:
            if record.message == "break":
                raise RuntimeError("cannot do this")
            record.pattern = record.message

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        assert service.data_dir.is_dir()
        if self.config.refuse:
            raise OSError("no route to nowhere")
        service.add_route("GET", "/late", None, scope="read")
        assert await service.stats() == {}
        service.emit(Alias(PATTERN_ID("first"), "second", 1))
        yield
        service.emit(Alias(PATTERN_ID("second"), "third {WORD}", 2))
""".replace("PATTERN_ID", "__import__('log_aggregator').pattern_id")


class Run:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pipeline = "[plugins.patterns]\n"
        self.site = ""

    def __call__(self, stdin: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
        (self.directory / "plugins.toml").write_text(self.pipeline)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": self.site}
        command = [COMMAND, "patterns", "-", *options]
        return subprocess.run(
            command, input=stdin, cwd=self.directory, env=environment, capture_output=True, timeout=120, check=False
        )

    def lines(self, stdin: bytes) -> list[list[str]]:
        done = self(stdin)
        assert done.returncode == 0, done.stderr.decode()
        return [line.split("\t", 1) for line in done.stdout.decode().removesuffix("\n").split("\n")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def late(run: Run, tmp_path: Path) -> Run:
    """With a plugin that learns late that two patterns are one, refuses some logs and fails for others."""
    info = tmp_path / "late-1.0.dist-info"
    info.mkdir()
    (tmp_path / "late.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[log_aggregator.plugins]\nlate = late:Late\n")
    run.pipeline, run.site = "[plugins.late]\n", str(tmp_path)
    return run


def test_the_first_examples(run):
    told = run.lines(b"User 123 logged in\nQuery took 0.05s\nError: File not found: /path/file.txt\nUser 7 logged in\n")
    patterns = ["User {ID} logged in", "Query took {TIME}s", "Error: File not found: {PATH}", "User {ID} logged in"]
    assert told == [[pattern_id(pattern), pattern] for pattern in patterns]


def test_every_line_has_its_line(run):
    assert [pattern for _, pattern in run.lines(b"one\r\n\n\ttab\tbed\ncaf\xc3\xa9\nlast")] == [
        "one",
        "",
        "\ttab\tbed",
        "café",
        "last",
    ]
    assert len(run.lines(b"\xff\xfe broken\n" * 3)) == 3
    assert run(b"").stdout == b""


def test_lines_longer_than_a_read_and_many_of_them(run):
    long = b"xy " * 1_500_000 + b"z"
    assert [len(pattern) for _, pattern in run.lines(long + b"\nshort\n" + long)] == [len(long), 5, len(long)]
    told = run.lines(b"".join(b"User %d logged in\n" % number for number in range(300_000)))
    assert told == [[pattern_id("User {ID} logged in"), "User {ID} logged in"]] * 300_000


def test_what_is_learned_late_holds_for_the_first_line_too(late):
    final = [pattern_id("third {WORD}"), "third {WORD}"]
    assert late.lines(b"first\nsecond\nother\n") == [final, final, [pattern_id("other"), "other"]]


def test_a_refused_log_keeps_its_place(late):
    assert late.lines(b"a\nunwanted\nb\n") == [[pattern_id("a"), "a"], ["-", ""], [pattern_id("b"), "b"]]


def test_a_stage_that_fails_is_named(late):
    done = late(b"break\n")
    assert done.returncode == 1
    assert done.stderr == b"log-aggregator patterns: plugin late: normalize failed: RuntimeError: cannot do this\n"
    assert done.stdout == b""


def test_a_stage_that_leaves_is_named(late):
    done = late(b"leave\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"log-aggregator patterns: plugin late: on_ingest failed: SystemExit: 0\n"


def test_a_stage_that_cannot_start_is_named(late):
    late.pipeline += "refuse = true\n"
    done = late(b"a\n")
    assert (done.returncode, done.stdout) == (1, b"")
    wanted = b"log-aggregator patterns: plugins.toml [plugins.late]: lifespan: OSError: no route to nowhere\n"
    assert done.stderr == wanted


def test_top_counts(run):
    lines = run(b"User 1 in\nUser 2 in\nbye\nUser 3 in\n", "--top", "1").stdout.decode().splitlines()
    assert lines[1].split() == ["3", "75.0%", pattern_id("User {ID} in"), "User", "{ID}", "in"]
    assert lines[2:] == ["4 lines, 2 patterns; the 1 most frequent are shown"]


def test_explain_marks_what_a_rule_took(run):
    lines = run(b"User 123 logged in\n", "--explain").stdout.decode().splitlines()
    assert lines[0] == "User 123 logged in"
    assert lines[1].startswith("     ^^^ ")
    assert lines[1].endswith(": {ID}")
    assert len(lines) == 2


def test_explain_says_what_was_learned(late):
    late.pipeline += "[plugins.patterns]\n[plugins.templates]\n"
    lines = b"".join(b"session opened for user %s by root\n" % name for name in (b"ann", b"bob", b"carl", b"dora"))
    told = late(lines, "--explain").stdout.decode().splitlines()
    assert told[-2] == "  = session opened for user {VAR} by root"
    assert "for user {VAR} by root: 3 different words where 3 are enough" in told[-1]


def test_what_is_explained_is_what_the_stages_let_through(late):
    late.pipeline += "[plugins.redact]\n[plugins.patterns]\n"
    lines = late(b"User 1 has password=hunter2\nunwanted\n", "--explain").stdout.decode().splitlines()
    assert lines[0] == "User 1 has password=[redacted:password]"
    assert lines[1:] == ["     ^ digits: {ID}", "- (refused by a stage)"]


def test_without_a_plugin_that_explains_it_says_so(late):
    done = late(b"a\n", "--explain")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no plugin of the pipeline explains its rules" in done.stderr


def test_json_prints_an_object_for_each_line_without_colors(run: Run) -> None:
    done = run(b"\x1b[32mjob\x1b[0m 1 done\njob 22 done\n", "--lines", "--json")
    assert done.returncode == 0, done.stderr.decode()
    rows = [json.loads(row) for row in done.stdout.decode().splitlines()]
    assert [row["pattern"] for row in rows] == ["job {ID} done", "job {ID} done"]
    assert {row["pattern_id"] for row in rows} == {pattern_id("job {ID} done")}
    assert all(row["level"] == "INFO" and row["source"] == "-" and row["timestamp"].endswith("Z") for row in rows)


TRACE = b"""one
Traceback (most recent call last):
  File "/app/a.py", line 3, in f
KeyError: 'total'

two
"""


def in_file(run: Run, data: bytes, *options: str, name: str = "app.log") -> subprocess.CompletedProcess[bytes]:
    (run.directory / "plugins.toml").write_text(run.pipeline)
    (run.directory / name).write_bytes(data)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": run.site}
    command = [COMMAND, "patterns", name, *options]
    return subprocess.run(command, cwd=run.directory, env=environment, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_in_a_file_a_trace_is_one_message_and_blank_lines_are_none(run, pack):
    assert len(in_file(run, pack(TRACE)).stdout.splitlines()) == 3
    assert len(in_file(run, pack(TRACE), "--lines").stdout.splitlines()) == 5
    assert b"3 lines, 3 patterns" in in_file(run, pack(TRACE), "--top").stdout


def test_blank_lines_of_standard_input_keep_their_place_but_are_no_messages(run):
    assert run(b"one\n\n \ntwo\n").stdout.split(b"\n")[1:3] == [b"-\t", b"-\t"]
    assert b"2 lines, 2 patterns" in run(b"one\n\n \ntwo\n", "--top").stdout


def test_diff_fails_for_new_patterns_only(run):
    before, after = b"User 1 in\n" * 90 + b"gone\n" * 10, b"User 2 in\n" * 20 + b"new 7\n" * 80
    (run.directory / "old.log").write_bytes(before)
    done = in_file(run, after, "--diff", "old.log")
    rows = [line.split() for line in done.stdout.decode().splitlines()[1:]]
    assert done.returncode == 1
    assert [(row[0], row[1], row[2], row[4:]) for row in rows[:-1]] == [
        ("+", "0", "80", ["new", "{ID}"]),
        ("-", "10", "0", ["gone"]),
        ("~", "90", "20", ["User", "{ID}", "in"]),
    ]
    assert done.stdout.endswith(b"1 new, 1 gone, 1 changed, 1 in both\n")
    (run.directory / "old.log").write_bytes(before + after)
    assert in_file(run, after, "--diff", "old.log").returncode == 0
    done = in_file(run, after, "--diff", "none.log")
    assert (done.returncode, done.stderr) == (2, b"log-aggregator patterns: none.log: No such file or directory\n")


def test_check_finds_what_is_not_saved(run):
    (run.directory / "known.tsv").write_bytes(in_file(run, b"User 1 in\nbye\n").stdout)
    assert in_file(run, b"User 22 in\n", "--check", "known.tsv").returncode == 0
    done = in_file(run, b"User 22 in\nboom 3\n", "--check", "known.tsv")
    assert done.returncode == 1
    assert done.stdout.decode().split()[:4] == ["1", pattern_id("boom {ID}"), "boom", "{ID}"]
    assert in_file(run, b"a\n", "--check", "app.log").returncode == 2


TIMES = PLUGIN.replace(
    'if record.message == "unwanted":',
    """word = record.message.split()[0]
            if word.isdigit():
                record.timestamp = int(word) * 1_000_000
            if record.message == "unwanted":""",
)


def test_only_a_span_of_time(late, tmp_path):
    (tmp_path / "late.py").write_text(TIMES)
    data = b"1764500000 a\n1764500010 b\n1764500020 c\nno time\n"
    done = in_file(late, data, "--since", "1764500010", "--until", "2025-11-30T10:53:40Z")
    assert [line.split("\t")[1] for line in done.stdout.decode().splitlines()] == ["1764500010 b"]
    assert b"2 lines" in in_file(late, data, "--since", "1764500005", "--top").stdout
    done = in_file(late, b"none here\n", "--since", "1764500010")
    assert (done.returncode, b"no time was found in any message" in done.stderr) == (1, True)
