"""What was learned survives a restart, and a broken file costs only the learning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator_templates import TemplateMiner
from log_aggregator_templates.saved import UnreadableError, encode, load, snapshot, write

from .learned import NAMES, Learner

WORDS = st.sampled_from(
    ["open", "user", "for", "by", *NAMES[:9], "{ID}", "{IP}", "a.b.c", "x_y", "k=v", "(up)", "L({ID})"]
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), max_size=60)


def restarted(learner: Learner) -> Learner:
    miner = TemplateMiner()
    load(miner, encode(snapshot(learner.miner)))
    after = Learner(miner)
    after.aliases.update(learner.aliases)
    return after


@given(LINES, LINES)
@settings(max_examples=150, deadline=None)
def test_a_restart_changes_nothing(before: list[str], after: list[str]) -> None:
    going, stopped = Learner(), Learner()
    first = going.first_sight(before)
    assert stopped.first_sight(before) == first
    stopped = restarted(stopped)
    assert stopped.first_sight(before) == going.first_sight(before)
    assert stopped.miner.book.count == going.miner.book.count
    stopped.first_sight(after)
    going.first_sight(after)
    for learner in (going, stopped):
        now = learner.first_sight(before)
        assert [learner.final(text) for text in first] == [learner.final(text) for text in now]


def test_learning_goes_on_where_it_stopped() -> None:
    learner = Learner()
    lines = [f"removing {name} now" for name in NAMES[:5]]
    first = learner.first_sight(lines)
    assert first == lines
    learner = restarted(learner)
    learner.first_sight([f"removing {name} now" for name in NAMES[5:]])
    assert {learner.final(text) for text in first} == {"removing {VAR} now"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff",
        b"[]",
        b'{"version":9,"ended":true,"sources":{},"templates":[]}',
        b'{"version":1,"ended":true,"sources":{},"templates":[[["a"],["b"],["c"],[],0,[]]]}',
        b'{"version":1,"ended":true,"sources":{},"templates":[[["a","b"],["b"],["c"],[],7,[]]]}',
    ],
)
def test_a_broken_file_is_said_to_be_broken(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        load(TemplateMiner(), data)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "templates.json"
    old, new = snapshot(TemplateMiner()), snapshot(TemplateMiner(), ended=True)
    write(path, old)
    monkeypatch.setattr("log_aggregator_templates.saved.os.fsync", _full_disk)
    with pytest.raises(OSError, match="full"):
        write(path, new)
    assert path.read_bytes() == encode(old) != encode(new)


def _full_disk(_: int) -> None:
    raise OSError("the disk is full")
