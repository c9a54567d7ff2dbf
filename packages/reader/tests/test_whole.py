"""Files and pipes read once: compressed or not, with every character that is no end of a line, as containers write."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from log_aggregator_reader import Input, Record, is_rotation_of, matches, records, without_rotations
from log_aggregator_reader.lines import LineSplitter

PACKERS = [gzip.compress, bz2.compress, lzma.compress, zstandard.compress]
TEXT = b"".join(b"line %d %d\n" % (number, number * 7919 % 1000) for number in range(20_000))


def read(path: Path, *, is_joined: bool = True) -> list[Record]:
    opened = Input.of(path)
    try:
        return [record for record in records(opened.text(), is_joined=is_joined) if record is not None]
    finally:
        opened.close()


def texts(path: Path, data: bytes) -> list[bytes]:
    path.write_bytes(data)
    return [record.text for record in read(path)]


@pytest.mark.parametrize("pack", PACKERS)
def test_compressed_files_are_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    half = len(TEXT) // 2
    for data in (pack(TEXT), pack(TEXT[:half]) + pack(TEXT[half:])):
        assert b"\n".join(texts(tmp_path / "file", data)) + b"\n" == TEXT


@pytest.mark.parametrize("pack", PACKERS)
def test_what_is_truncated_is_read_up_to_there_and_named(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = pack(TEXT)
    (tmp_path / "file").write_bytes(data[: len(data) * 9 // 10])
    opened, found = Input.of(tmp_path / "file"), []
    with pytest.raises(ValueError, match="truncated"):
        found.extend(records(opened.text()))
    opened.close()


def test_bytes_are_counted_as_they_are_on_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(TEXT))
    opened = Input.of(tmp_path / "file")
    assert sum(1 for _ in records(opened.text())) == 20_000
    assert opened.read == (tmp_path / "file").stat().st_size
    opened.close()


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\r"])
def test_only_a_newline_ends_a_line(tmp_path: Path, character: str) -> None:
    line = f"a{character}b".encode()
    assert texts(tmp_path / "file", line + b"\nc") == [line, b"c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings_that_say_what_they_are(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    assert texts(tmp_path / "file", f"{mark}é 1\r\ntwo\r\n".encode(encoding)) == ["é 1".encode(), b"two"]


def test_lines_of_any_length() -> None:
    splitter = LineSplitter(longest=100)
    data = b"a" * 99 + b"\n" + b"b" * 100 + b"\n" + b"c" * 250 + b"\nd"
    for size in (1, 7, 60, 1000):
        splitter = LineSplitter(longest=100)
        lines = [line for start in range(0, len(data), size) for line in splitter.feed(data[start : start + size])]
        last = splitter.rest()
        assert last is not None
        assert [line.text[:100] for line in [*lines, last]] == [b"a" * 99, b"b" * 100, b"c" * 100, b"d"]
        assert lines[2].text[100:] == "… [cut, 250 bytes]".encode()
        assert [line.end for line in [*lines, last]] == [100, 201, 452, 453]


def test_a_pipe_that_pauses_gives_what_it_has() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"one\n  more\n")
    found = records(Input(reader).text())
    assert [record.text if record else None for record in (next(found), next(found))] == [b"one\n  more", None]
    os.write(writer, b"two")
    os.close(writer)
    assert [record.text for record in found if record] == [b"two"]
    os.close(reader)


def test_dockers_lines_are_unwrapped_and_joined_by_stream(tmp_path: Path) -> None:
    def line(log: str, stream: str, second: int) -> str:
        return json.dumps({"log": log, "stream": stream, "time": f"2026-11-30T10:00:0{second}.1Z"})

    data = [
        line("Traceback (most recent call last):\n", "stderr", 1),
        line("GET /\n", "stdout", 2),
        line('  File "a", line 1\n', "stderr", 3),
        line("a long li", "stdout", 4),
        line("KeyError: 1\n", "stderr", 5),
        line("ne\n", "stdout", 6),
        '{"log": "an object of a program"}',
    ]
    (tmp_path / "file").write_text("\n".join(data) + "\n")
    found = sorted(read(tmp_path / "file"), key=lambda record: record.start)
    assert [(record.text.decode(), record.stream, record.time[17:19]) for record in found] == [
        ('Traceback (most recent call last):\n  File "a", line 1\nKeyError: 1', "stderr", "01"),
        ("GET /", "stdout", "02"),
        ("a long line", "stdout", "04"),
        ('{"log": "an object of a program"}', "", ""),
    ]


def test_lines_of_cri_are_unwrapped(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(
        "2026-11-30T10:00:00.1+01:00 stdout F one\n"
        "2026-11-30T10:00:01.1Z stderr P half \n"
        "2026-11-30T10:00:02.1Z stderr F of it\n"
        "2026-11-30T10:00:03.1Z stdout F   indented\n"
        "2026-11-30T10:00:04 a line that is none\n"
    )
    found = sorted(read(tmp_path / "file"), key=lambda record: record.start)
    assert [record.text for record in found] == [
        b"one\n  indented",
        b"half of it",
        b"2026-11-30T10:00:04 a line that is none",
    ]
    assert found[0].time == "2026-11-30T10:00:00.1+01:00"


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("app.log.1", True),
        ("app.log.12.gz", True),
        ("app.log-20261130", True),
        ("app.log-20261130-1701.zst", True),
        ("app.log.2026-11-30", True),
        ("app-20261130.log", True),
        ("app.1.log.bz2", True),
        ("app.log.old", True),
        ("app.log", False),
        ("app.logs", False),
        ("app.log.json", False),
        ("app-error.log", False),
        ("app2.log", False),
        ("my-app.log.1", False),
    ],
)
def test_names_of_older_parts(name: str, is_one: bool) -> None:
    assert is_rotation_of("app.log", name) == is_one


def test_older_parts_belong_to_the_file_that_a_pattern_names_too(tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "app.log.2.gz", "error.log", "messages-20261130", "messages"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "directory.log").mkdir()
    found = without_rotations(matches(str(tmp_path / "*")))
    assert {path.name: [one.name for one in older] for path, older in found.items()} == {
        "app.log": ["app.log.1", "app.log.2.gz"],
        "error.log": [],
        "messages": ["messages-20261130"],
    }
    alone = without_rotations([tmp_path / "app.log.1"])
    assert list(alone) == [tmp_path / "app.log.1"]
    assert matches(str(tmp_path / "none.log")) == [tmp_path / "none.log"]
