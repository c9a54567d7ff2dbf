"""Several files that are followed together, each from its own place; files that come later."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator_reader import Follower, Limits
from log_aggregator_reader import follower as follower_module


@pytest.fixture(autouse=True)
def _look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "RESCAN", 0.0)


def drain(follower: Follower, places: dict[str, bytes]) -> list[str]:
    found = []
    while piece := follower.read():
        places[piece.path] = piece.place
        found += [record.text.decode() for record in piece.records]
    return found


def test_each_file_goes_on_at_its_place(tmp_path: Path) -> None:
    places: dict[str, bytes] = {}
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_text("a\nb\n")
    two.write_text("c\n")
    patterns = [str(tmp_path / "*.log")]
    follower = Follower(patterns, places.get, limits=Limits(idle=0))
    assert sorted(drain(follower, places)) == ["a", "b", "c"]
    (tmp_path / "three.log").write_text("d\n")
    with one.open("a") as file:
        file.write("e\n")
    assert sorted(drain(follower, places)) == ["d", "e"]
    follower.close()
    two.write_text("c\nf\n")
    follower = Follower(patterns, places.get, limits=Limits(idle=0))
    assert drain(follower, places) == ["f"]
    follower.close()


def test_from_the_end_leaves_out_what_was_there_and_only_that(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text("old\nhal")
    follower = Follower([str(tmp_path / "*.log")], lambda path: None, from_end=True, limits=Limits(idle=0))
    assert drain(follower, {}) == []
    with (tmp_path / "one.log").open("a") as file:
        file.write("f\nnew\n")
    (tmp_path / "two.log").write_text("first\n")
    assert sorted(drain(follower, {})) == ["first", "half", "new"]
    follower.close()


def test_no_file_keeps_the_others_waiting(tmp_path: Path) -> None:
    (tmp_path / "large.log").write_text("x\n" * 1000)
    (tmp_path / "small.log").write_text("y\n")
    follower = Follower([str(tmp_path / "*.log")], lambda path: None, limits=Limits(records=10, size=100, idle=0))
    pieces = [follower.read(), follower.read()]
    assert {Path(piece.path).name for piece in pieces if piece} == {"large.log", "small.log"}
    follower.close()


def test_what_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    problems: list[str] = []
    (tmp_path / "directory").mkdir()
    follower = Follower([str(tmp_path / "directory")], lambda path: None, on_problem=problems.append)
    assert follower.read() is follower.read() is None
    assert problems == [f"{tmp_path / 'directory'}: Is a directory"]
    follower.close()


@pytest.mark.parametrize("place", [b"", b"\xff", b"{}", b"[1]", b'{"files": 3}', b'{"files": [3]}'])
def test_a_place_that_cannot_be_read_is_told_and_the_file_begins_anew(tmp_path: Path, place: bytes) -> None:
    (tmp_path / "app.log").write_bytes(b"one\n")
    problems: list[str] = []
    follower = Follower(
        [str(tmp_path / "app.log")], lambda _path: place, limits=Limits(idle=0), on_problem=problems.append
    )
    piece = follower.read()
    assert piece is not None
    assert [record.text for record in piece.records] == [b"one"]
    assert problems == [f"{tmp_path / 'app.log'}: the remembered place cannot be read; reading from the beginning"]
    follower.close()
