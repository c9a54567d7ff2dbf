"""The suite for journals passes for the embedded one, and each check fails for the fault it is made for."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.journal.local import SqliteJournal
from log_aggregator.journals import JournalPlace
from log_aggregator_dev import JournalContract
from packages.dev.tests.broken_journals import BROKEN_JOURNALS, MUTANTS
from packages.dev.tests.changed_journal import opened
from packages.dev.tests.memory_journal import KEPT, MemoryPlugin, crashed

CHECKS = [name for name in dir(JournalContract) if name.startswith("test_")]


class JournalUnderTest(JournalContract):
    journal: type[SqliteJournal] = SqliteJournal

    def make_journal(self, directory: Path) -> Any:
        return opened(self.journal, directory)

    async def lose(self, directory: Path, position: int) -> None:
        _change(directory, f"UPDATE intake SET payload = x'00' WHERE position = {position}")

    async def forget(self, directory: Path) -> None:
        _change(directory, "DELETE FROM intake")
        _change(directory, "DELETE FROM sqlite_sequence WHERE name = 'intake'")


class TestSqliteJournal(JournalUnderTest):
    pass


class TestMemoryJournal(JournalContract):
    """A journal of another make passes, too: the checks ask for nothing that only SQLite has."""

    def make_journal(self, directory: Path) -> Any:
        plugin = MemoryPlugin(MemoryPlugin.Config(name=str(directory)))
        return plugin.open(JournalPlace(directory, 1000))

    async def crash(self, directory: Path) -> Path:
        return Path(crashed(str(directory)))

    async def lose(self, directory: Path, position: int) -> None:
        del KEPT[str(directory)].rows[position]

    async def forget(self, directory: Path) -> None:
        KEPT[str(directory)].newest = KEPT[str(directory)].upto = 0


@pytest.mark.parametrize("broken", BROKEN_JOURNALS, ids=lambda cls: str(cls.__name__))
def test_a_broken_journal_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (JournalUnderTest,), {"journal": broken})()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(suite, broken.finds)(tmp_path)


def test_every_check_has_a_journal_that_it_must_reject() -> None:
    assert {cls.finds for cls in BROKEN_JOURNALS} == set(CHECKS)
    assert len({cls.finds for cls in MUTANTS}) == 10


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_journal_each_check_says_what_is_missing(check: str, tmp_path: Path) -> None:
    mine = type("TestMine", (JournalContract,), {})()
    with pytest.raises(NotImplementedError, match=r"^TestMine\.make_journal\(self, directory\) must return the"):
        getattr(mine, check)(tmp_path)


def test_what_a_suite_cannot_do_is_skipped(tmp_path: Path) -> None:
    suite = type("Suite", (JournalUnderTest,), {"lose": JournalContract.lose, "forget": JournalContract.forget})()
    for check in ("test_a_lost_row_is_not_stepped_over", "test_an_intake_that_forgot_is_noticed"):
        with pytest.raises(pytest.skip.Exception):
            getattr(suite, check)(tmp_path / check)


def _change(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "journal.sqlite3")) as connection, connection:
        connection.execute(statement)
