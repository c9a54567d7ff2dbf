"""A file that is written, rotated in every way, compressed and removed while its reader is killed: each line once."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from log_aggregator_reader import Limits, Piece
from log_aggregator_reader import generation as generation_module
from log_aggregator_reader.tail import Tail

AT_ONCE = Limits(records=7, size=200, idle=0.0)
"""Small steps, so that a rotation comes between any two."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_module, "LAST_LINE_PAUSE", 0.0)


class World:
    """A log file, its writer, and a reader that may be killed after any piece."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "app.log"
        self.written = 0
        self.found: list[str] = []
        self.place: bytes | None = None
        self.clock = 1_000_000_000
        self.file = self.path.open("ab", buffering=0)
        self.tail = self.begin()

    def begin(self) -> Tail:
        return Tail(self.path, self.place)

    def write(self, lines: int, text: str = "line") -> None:
        for _ in range(lines):
            self.written += 1
            self.file.write(f"{text} {self.written}\n".encode())
        self.touch(self.path)

    def touch(self, path: Path) -> None:
        """Times of files differ by a second, as they do where a file is rotated once a day."""
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    def read(self, pieces: int = 1000, *, saved: bool = True) -> list[Piece]:
        got = []
        for _ in range(pieces):
            piece = self.tail.read(AT_ONCE)
            if piece is None:
                break
            got.append(piece)
            if saved:
                self.place = piece.place
                self.found += [record.text.decode() for record in piece.records]
        return got

    def kill(self) -> None:
        self.tail.close()
        self.tail = self.begin()

    def rename(self) -> None:
        self.shift()
        self.path.rename(self.path.with_name("app.log.1"))
        self.reopen()

    def reopen(self) -> None:
        self.file.close()
        self.file = self.path.open("ab", buffering=0)
        self.touch(self.path)

    def copy_and_cut(self) -> None:
        self.shift()
        shutil.copy(self.path, self.path.with_name("app.log.1"))
        self.touch(self.path.with_name("app.log.1"))
        self.file.truncate(0)
        self.touch(self.path)

    def shift(self) -> None:
        """What logrotate does with the older parts."""
        for number in range(30, 0, -1):
            for suffix in ("", ".gz"):
                old = self.path.with_name(f"app.log.{number}{suffix}")
                if old.exists():
                    old.rename(self.path.with_name(f"app.log.{number + 1}{suffix}"))

    def compress(self) -> None:
        old = self.path.with_name("app.log.1")
        if old.exists():
            packed = old.with_name("app.log.1.gz")
            packed.write_bytes(gzip.compress(old.read_bytes()))
            shutil.copystat(old, packed)
            old.unlink()

    def assert_each_line_once(self, text: str = "line") -> None:
        assert sorted(self.found, key=lambda line: int(line.split()[-1])) == [
            f"{text} {number}" for number in range(1, self.written + 1)
        ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.file.close()
    made.tail.close()


@pytest.mark.parametrize("rotate", [World.rename, World.copy_and_cut], ids=["rename", "copytruncate"])
@pytest.mark.parametrize("pieces", [0, 1, 100])
@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_rotation(
    world: World, rotate: Callable[[World], None], pieces: int, is_killed: bool, times: int, is_compressed: bool
) -> None:
    world.write(40)
    world.read(max(pieces, 1))
    for _ in range(times):
        rotate(world)
        if is_compressed:
            world.compress()
        world.write(20)
        if pieces == 1:
            world.read(1)
    if is_killed:
        world.kill()
    world.read()
    world.write(5)
    world.read()
    world.assert_each_line_once()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_whatever_order(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.write(3)
    world.read(1)
    for _ in range(120):
        action = chance.choices(
            ["write", "read", "kill", "rename", "cut", "compress", "lose"], [30, 30, 12, 7, 7, 7, 7]
        )[0]
        if action == "write":
            world.write(chance.randrange(1, 40))
        elif action == "read":
            world.read(chance.randrange(1, 5))
        elif action == "kill":
            world.kill()
        elif action == "rename":
            world.rename()
        elif action == "cut":
            world.copy_and_cut()
        elif action == "compress":
            world.compress()
        else:  # it was read and sent, but the place was not saved: a crash in between
            world.read(chance.randrange(1, 3), saved=False)
            world.kill()
        world.read(1)
    world.kill()
    world.read()
    world.assert_each_line_once()


def test_a_range_is_read_again_as_it_was(world: World) -> None:
    world.write(30, "Traceback (most recent call last):\n  File x\nKeyError:")
    (first, *_) = world.read(1, saved=False)
    for rotate in (World.rename, World.copy_and_cut, World.compress):
        rotate(world)
        world.write(10)
        again = Tail(world.path, first.place).read_again(first.file, first.start, first.end)
        assert again is not None
        assert again._replace(place=b"") == first._replace(place=b"")
    world.path.with_name("app.log.2").unlink()
    world.path.with_name("app.log.1.gz").unlink()
    assert Tail(world.path, first.place).read_again(first.file, first.start, first.end) is None


def test_an_inode_that_is_used_again_is_another_file(world: World) -> None:
    world.write(10)
    world.read()
    state = world.place
    assert state is not None
    world.tail.close()
    world.file.truncate(0)  # the same inode with other lines, though the file was not rotated
    world.write(30)
    world.tail = Tail(world.path, state)
    world.read()
    world.assert_each_line_once()


def test_a_file_that_was_cut_and_is_longer_than_before(world: World) -> None:
    world.write(10)
    world.read()
    world.file.truncate(0)
    world.write(50)
    world.read()
    world.assert_each_line_once()


def test_a_line_waits_for_its_end_and_a_record_for_the_next_line(world: World) -> None:
    patient = Limits(idle=1000.0)
    world.file.write(b"one\n  more\ntwo\nhal")
    piece = world.tail.read(patient)
    assert piece is not None
    assert [record.text for record in piece.records] == [b"one\n  more"]
    assert world.tail.read(patient) is None
    world.file.write(b"f\n")
    piece = world.tail.read(patient)
    assert piece is not None
    assert [record.text for record in piece.records] == [b"two"]
    rested = world.tail.read(AT_ONCE)
    assert rested is not None
    assert [record.text for record in rested.records] == [b"half"]


def test_the_end_of_a_rotated_file_needs_no_newline(world: World) -> None:
    world.write(2)
    world.file.write(b"line 3")
    world.written = 3
    world.read()
    world.rename()
    world.write(1)
    world.read()
    world.assert_each_line_once()


def test_lines_longer_than_what_is_read_at_once(world: World) -> None:
    world.file.write(b"x" * 3_000_000 + b"\n" + b"y" * 20_000_000 + b"\nz\n")
    texts = [record.text for piece in world.read() for record in piece.records]
    assert len(texts[0]) == 3_000_000
    assert texts[1].endswith("… [cut, 20000000 bytes]".encode())
    assert texts[2] == b"z"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_older_parts_that_were_asked_for_come_first(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "app.log.2.gz").write_bytes(pack(b"a\nb\n"))
    (tmp_path / "app.log.1").write_bytes(b"c\n")
    (tmp_path / "app.log").write_bytes(b"d\n")
    tail = Tail(tmp_path / "app.log", older=[tmp_path / "app.log.2.gz", tmp_path / "app.log.1"])
    found = []
    while piece := tail.read(AT_ONCE):
        found += [record.text for record in piece.records]
    assert found == [b"a", b"b", b"c", b"d"]


def test_older_parts_that_were_not_asked_for_are_left_alone(world: World) -> None:
    old = world.path.with_name("app.log.1")
    old.write_bytes(b"old\n")
    world.touch(old)
    world.write(3)
    world.read()
    world.rename()
    world.write(3)
    world.read()
    world.kill()
    world.read()
    world.assert_each_line_once()


def test_truncated_compressed_data_is_read_up_to_its_end_and_named(tmp_path: Path) -> None:
    text = b"".join(b"line %d %d\n" % (number, number * 7919) for number in range(5000))
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(text)[:-2000])
    problems: list[str] = []
    tail = Tail(tmp_path / "app.log", older=[tmp_path / "app.log.1.gz"], on_problem=problems.append)
    found = 0
    while piece := tail.read(Limits()):
        found += len(piece.records)
    assert 2000 < found < 5000
    assert len(problems) == 1
    assert "truncated" in problems[0]
