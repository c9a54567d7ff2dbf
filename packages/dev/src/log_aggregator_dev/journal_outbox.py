"""Checks of a journal's outbox: a flush and the rows it covers are one step, and lanes go on where they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator.journals import START, JournalError, LaneState, SupersededError
from log_aggregator_dev.factories import make_aggregate, make_flush
from log_aggregator_dev.journal_suite import (
    JournalSuite,
    appended,
    at_every_wait,
    entry,
    messages,
    next_flush,
    seal,
    totals,
    waiting_flushes,
)


class OutboxChecks(JournalSuite):
    """Part of `JournalContract`."""

    def test_reading_goes_on_where_the_newest_flush_ends(self, tmp_path: Path) -> None:
        """After a crash the rows that no flush covers are read, those that came before the start, too."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                results = await appended(journal, *(entry(f"m{number}") for number in range(6)))
                await seal(journal, results[2].position)
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert await messages(after) == ["m3", "m4", "m5"], "after a crash other rows are read"

        self.check(tmp_path, scenario)

    def test_a_flush_and_the_rows_it_covers_are_one_step(self, tmp_path: Path) -> None:
        """Killed wherever `seal` waits: the flush is there and its rows are given up, or neither."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                results = await appended(journal, *(entry(f"m{number}") for number in range(4)))
                flush = await next_flush(journal, logs=2)

                async def look() -> None:
                    async with self.after_a_crash(tmp_path / "journal") as after:
                        sealed, left = len(await waiting_flushes(after)), len(await messages(after))
                    assert (sealed, left) in {(0, 4), (1, 2)}, f"killed here, {sealed} flush and {left} rows are there"

                await at_every_wait(journal.partition.seal(flush, results[1].position, keep=True), look)
                await look()
                assert await messages(journal) == ["m2", "m3"]

        self.check(tmp_path, scenario)

    def test_a_flush_that_does_not_follow_is_refused(self, tmp_path: Path) -> None:
        """Of two flushes with one sequence, the second raises `SupersededError`, and nothing changes."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                results = await appended(journal, entry("a"), entry("b"))
                stale = await next_flush(journal, logs=100)
                await seal(journal, results[0].position, logs=1)
                ahead = await next_flush(journal, logs=100)
                ahead = make_flush(ahead.aggregates, position=ahead.position._replace(sequence=9))
                for wrong in (stale, ahead):
                    with pytest.raises(SupersededError):
                        await journal.partition.seal(wrong, results[1].position, keep=True)
                    assert totals(await waiting_flushes(journal)) == {"p": 1}, "a refused flush was kept"
                    assert await messages(journal) == ["b"], "a refused flush gave rows up"

        self.check(tmp_path, scenario)

    def test_a_flush_that_cannot_be_written_changes_nothing(self, tmp_path: Path) -> None:
        """It raises one of the errors of the encoder; the next one is sealed in its place."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                (first,) = await appended(journal, entry("a"))
                flush = await next_flush(journal)
                bad = make_flush([make_aggregate("\ud800")], instance=flush.instance, position=flush.position)
                with pytest.raises((TypeError, ValueError, RecursionError, OverflowError)):
                    await journal.partition.seal(bad, first.position, keep=True)
                assert await messages(journal) == ["a"]
                await journal.partition.seal(flush, first.position, keep=True)
                assert await waiting_flushes(journal) == [flush]

        self.check(tmp_path, scenario)

    def test_flushes_come_back_as_they_were(self, tmp_path: Path) -> None:
        """In order, with all that they hold, before and after a crash; the sequence goes on."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                sealed = [await seal(journal, logs=number, pattern=f"p{number}") for number in range(1, 4)]
                assert await waiting_flushes(journal) == sealed
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert await waiting_flushes(after) == sealed, "after a crash other flushes wait"
                    assert (await after.partition.stand()).sequence == 3
                    assert after.partition.identity.instance == journal.partition.identity.instance
                    await seal(after)
                    assert [one.position.sequence for one in await waiting_flushes(after)] == [1, 2, 3, 4]

        self.check(tmp_path, scenario)

    def test_without_sinks_no_flush_is_kept(self, tmp_path: Path) -> None:
        """With `keep=False` the rows are given up and the sequence goes on."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                (first,) = await appended(journal, entry("a"))
                await journal.partition.seal(await next_flush(journal), first.position, keep=False)
                assert (await waiting_flushes(journal), await messages(journal)) == ([], [])
                assert (await journal.partition.stand()).sequence == 1

        self.check(tmp_path, scenario)

    def test_a_new_lane_starts_behind_what_was_sealed(self, tmp_path: Path) -> None:
        """A sink that is new gets the flushes from then on."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                await seal(journal)
                assert await journal.partition.open_lane("late") == LaneState(1, START, 0)

        self.check(tmp_path, scenario)

    def test_reading_a_flush_moves_no_lane(self, tmp_path: Path) -> None:
        """Only `advance` does: a flush that was read and not stored is read again after a crash."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                for name in ("one", "two"):
                    await journal.partition.open_lane(name)
                first, second = await seal(journal), await seal(journal)
                assert await waiting_flushes(journal) == [first, second]
                await journal.partition.advance("one", LaneState(1, first.position, 0), ["one", "two"])
                async with self.after_a_crash(tmp_path / "journal") as after:
                    one, two = await after.partition.open_lane("one"), await after.partition.open_lane("two")
                    assert one == LaneState(1, first.position, 0), f"the lane that had stored one flush is at {one}"
                    assert two == LaneState(0, START, 0), f"the lane that had stored nothing is at {two}"
                    assert await waiting_flushes(after) == [first, second], "what was only read is not read again"

        self.check(tmp_path, scenario)

    def test_a_lane_that_dropped_flushes_says_so(self, tmp_path: Path) -> None:
        """`stored` may be `None`, and `lost` is kept."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                await journal.partition.open_lane("one")
                await seal(journal, logs=5)
                await journal.partition.advance("one", LaneState(1, None, 5), ["one"])
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert await after.partition.open_lane("one") == LaneState(1, None, 5)

        self.check(tmp_path, scenario)

    def test_what_waits_is_what_lies_after_the_cursor(self, tmp_path: Path) -> None:
        """Flushes, groups and logs are counted, and a flush is given up when every lane is done with it."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                for name in ("one", "two"):
                    await journal.partition.open_lane(name)
                sealed = [await seal(journal, logs=10 * number) for number in (1, 2, 3)]
                found = await journal.partition.waiting(1)
                assert (found.flushes, found.groups, found.logs) == (2, 2, 50)
                assert found.oldest == sealed[1].opened
                assert (await journal.partition.waiting(3)).flushes == 0
                for name, cursor, left in (("one", 3, 3), ("two", 2, 1)):
                    state = LaneState(cursor, sealed[cursor - 1].position, 0)
                    await journal.partition.advance(name, state, ["one", "two"])
                    waits = (await journal.partition.waiting(0)).flushes
                    assert waits == left, f"{waits} flushes are kept, a lane needs {left}"

        self.check(tmp_path, scenario)

    def test_merging_changes_no_total(self, tmp_path: Path) -> None:
        """Neither does it change the flush that a lane may have begun with. A journal may merge nothing."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                await journal.partition.open_lane("one")
                for number in range(12):
                    await seal(journal, logs=1 + number, pattern=f"p{number % 3}")
                before = {cursor: totals(await waiting_flushes(journal, cursor)) for cursor in (0, 5)}
                head = await journal.partition.after(5)
                while await journal.partition.merge_waiting([0, 5], 5):
                    pass
                for cursor, expected in before.items():
                    assert totals(await waiting_flushes(journal, cursor)) == expected, "merging changed a total"
                assert await journal.partition.after(5) == head, "a flush that a lane may have begun with was merged"

        self.check(tmp_path, scenario)

    def test_what_plugins_keep_survives_a_crash(self, tmp_path: Path) -> None:
        """Bytes by plugin and name; those before are replaced."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                assert await journal.load_state("trends", "profile") is None
                for plugin, name, value in (
                    ("trends", "profile", b"old"),
                    ("trends", "other", b""),
                    ("x", "profile", b"x"),
                ):
                    await journal.save_state(plugin, name, value)
                await journal.save_state("trends", "profile", b"new")
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert await after.load_state("trends", "profile") == b"new"
                    assert await after.load_state("trends", "other") == b""
                    assert await after.load_state("x", "profile") == b"x"

        self.check(tmp_path, scenario)

    def test_its_figures_can_be_asked(self, tmp_path: Path) -> None:
        """A probe writes, bytes grow with what is kept, and there is no failure."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                before = await journal.used_bytes()
                await appended(journal, *(entry(f"{number}" * 500) for number in range(100)))
                try:
                    await journal.probe()
                except JournalError as error:
                    raise AssertionError("a journal that can be written says that it cannot") from error
                assert await journal.used_bytes() > before
                assert journal.commits > 0
                assert (journal.failure, journal.problem, journal.damage) == ("", "", "")

        self.check(tmp_path, scenario)
