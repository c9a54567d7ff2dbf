"""A flipped bit or a cut at random places of the journal, the store and their logs: all opens, and adds up."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.damaging import Killed, damage, killed_journal, killed_store, outcome

FILES = ["journal.sqlite3", "journal.sqlite3-wal", "logs.sqlite3", "logs.sqlite3-wal"]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Killed]:
    places = [Path(tmp_path_factory.mktemp(name)) for name in ("journal", "left", "store", "left")]
    return {"journal": killed_journal(*places[:2]), "logs": asyncio.run(killed_store(*places[2:]))}


def outcomes(killed: Killed, file: str, kind: str, places: int, directory: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in range(places):
        data = directory / str(number)
        shutil.copytree(killed.directory, data)
        place = damage(data / file, kind, f"{file} {kind} {number}")
        result = outcome(killed, killed.reopen(data), kind)
        assert not result.startswith("WRONG"), f"{file}: {kind} at {place}: {result}"
        again = killed.reopen(data)
        assert not again.said, f"{file}: {kind} at {place}: the second start says {again.said}"
        found[result] += 1
        shutil.rmtree(data)
    return found


@pytest.mark.parametrize("kind", ["flip", "cut"])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_place(file: str, kind: str, killed: dict[str, Killed], tmp_path: Path) -> None:
    outcomes(killed[file.partition(".")[0]], file, kind, 4, tmp_path)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flip", "cut"])
@pytest.mark.parametrize("file", FILES)
def test_many_damaged_places(file: str, kind: str, killed: dict[str, Killed], tmp_path: Path) -> None:
    places = int(os.environ.get("CHAOS_PLACES", "0"))
    if not places:
        pytest.skip("long: `make chaos` runs it; the test above is its small form")
    found = outcomes(killed[file.partition(".")[0]], file, kind, places, tmp_path)
    print(f"\n{file}, {places} places, {kind}: {dict(found)}")
