"""Checks of a journal's intake: what is acknowledged is there, once, in order, whatever ended the process."""

from __future__ import annotations

import asyncio
from pathlib import Path

from log_aggregator.errors import ConfigError, KeyReusedError
from log_aggregator.journals import Appended, Entry, JournalError, encode_aggregates
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator_dev.factories import make_aggregate
from log_aggregator_dev.journal_suite import JournalSuite, appended, entry, messages, reader_at, rows, seal


class IntakeChecks(JournalSuite):
    """Part of `JournalContract`."""

    def test_what_was_acknowledged_survives_a_crash(self, tmp_path: Path) -> None:
        """Once `append` has answered, the records are there for a process that starts after a kill."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                for number in range(3):
                    await appended(journal, entry(f"m{number}"))
                    async with self.after_a_crash(tmp_path / "journal") as after:
                        found = await messages(after)
                    expected = [f"m{one}" for one in range(number + 1)]
                    assert found == expected, f"after a crash there is {found}, acknowledged were {expected}"

        self.check(tmp_path, scenario)

    def test_rows_come_back_once_and_in_order(self, tmp_path: Path) -> None:
        """Positions grow with each row, and reading gives every row once, however many are asked for."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                sent = [[entry(f"m{part}-{one}", "second") for one in range(4)] for part in range(5)]
                answers = await asyncio.gather(*(journal.append(part) for part in sent))
                positions = [one.position for part in answers for one in part if isinstance(one, Appended)]
                assert positions == sorted(set(positions)), f"positions do not grow: {positions}"
                assert positions[0] > 0, "a row has the position 0, which means that nothing was kept"
                expected = [f"m{part}-{one}" for part in range(5) for one in range(4)]
                for most in (1, 3, 1000):
                    found = await rows(journal, most)
                    assert [text for _, text in found if text != "second"] == expected, f"read in steps of {most}"
                    assert sorted({position for position, _ in found}) == positions, "other positions than answered"

        self.check(tmp_path, scenario)

    def test_aggregates_of_another_service_come_back(self, tmp_path: Path) -> None:
        """A row holds records, or what another service sent: both come back as they were, in order."""

        async def scenario() -> None:
            sent = SentAggregates(300, (make_aggregate("edge {ID}", 7), make_aggregate("other")))
            async with self.make_journal(tmp_path / "journal") as journal:
                await appended(journal, entry("a"), Entry(encode_aggregates(sent), sent.logs), entry("b"))
                async with self.after_a_crash(tmp_path / "journal") as after:
                    found = [content for _, content in await after.partition.read(0, 10)]
                    assert found[1] == sent, f"instead of the aggregates there is {found[1]}"
                    assert await messages(after) == ["a", "edge {ID}", "other", "b"]

        self.check(tmp_path, scenario)

    def test_a_repeat_under_its_key_is_a_duplicate(self, tmp_path: Path) -> None:
        """The same key and digest again, at once, later and after a crash: kept once, with the first answer."""

        async def scenario() -> None:
            one = entry("a", "b", key="k", digest=b"1")
            async with self.make_journal(tmp_path / "journal") as journal:
                first, again = await appended(journal, one, one)
                assert first.position, "the first under a key was not kept"
                assert again == Appended(0, 2, duplicate=True), "the second in one append is no duplicate"
                assert (await appended(journal, one))[0].duplicate, "a repeat under its key was kept again"
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert (await appended(after, one))[0].duplicate, "after a crash the key was not known"
                    assert await messages(after) == ["a", "b"], "a repeat was kept"

        self.check(tmp_path, scenario)

    def test_a_key_is_known_whatever_the_records_are(self, tmp_path: Path) -> None:
        """A key belongs to the whole journal: plugins may have changed the records, and so their source."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                for number, source in enumerate(("app", "db", "web", "auth")):
                    again = entry("a", key="k", digest=b"1", source=source)
                    (result,) = await appended(journal, again)
                    assert result.duplicate == (number > 0), f"the repeat with the source {source} was kept again"

        self.check(tmp_path, scenario)

    def test_a_key_outlives_its_rows(self, tmp_path: Path) -> None:
        """A flush covers the rows and the process starts anew: a repeat is a duplicate all the same."""

        async def scenario() -> None:
            one = entry("a", key="k", digest=b"1")
            async with self.make_journal(tmp_path / "journal") as journal:
                (first,) = await appended(journal, one)
                await seal(journal, first.position)
                async with self.after_a_crash(tmp_path / "journal") as after:
                    assert (await appended(after, one))[0].duplicate, "the key went with the rows that a flush covers"

        self.check(tmp_path, scenario)

    def test_a_reused_key_is_refused_in_its_place(self, tmp_path: Path) -> None:
        """A key with another digest is answered with `KeyReusedError`, and costs no other entry."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                await appended(journal, entry("a", key="k", digest=b"1"))
                results = await journal.append([entry("b"), entry("x", key="k", digest=b"2"), entry("c")])
                assert isinstance(results[1], KeyReusedError), "a key with another body was taken"
                assert all(isinstance(results[one], Appended) for one in (0, 2)), "other entries were refused with it"
                assert await messages(journal) == ["a", "b", "c"]

        self.check(tmp_path, scenario)

    def test_a_readers_position_is_there_with_its_records(self, tmp_path: Path) -> None:
        """Written with the records, with none, and with a duplicate; never with an entry that is refused."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                steps: list[tuple[Entry, bytes]] = [
                    (entry("a", position=reader_at(b"1")), b"1"),
                    (Entry(None, 0, position=reader_at(b"2")), b"2"),
                    (entry("b", key="k", digest=b"1", position=reader_at(b"3")), b"3"),
                    (entry("b", key="k", digest=b"1", position=reader_at(b"4")), b"4"),
                    (entry("x", key="k", digest=b"2", position=reader_at(b"5")), b"4"),
                ]
                for one, expected in steps:
                    await journal.append([one])
                    async with self.after_a_crash(tmp_path / "journal") as after:
                        found = after.positions.get("files", "/var/log/app.log")
                    assert found == expected, f"after a crash the reader is at {found!r}, it was told {expected!r}"
                assert journal.positions.get("files", "other") is None
                (last,) = await appended(journal, entry("c"))
                await seal(journal, last.position)
                async with self.after_a_crash(tmp_path / "journal") as after:
                    found = after.positions.get("files", "/var/log/app.log")
                assert found == b"4", f"a flush covers the rows, and the reader is at {found!r}"

        self.check(tmp_path, scenario)

    def test_a_lost_row_is_not_stepped_over(self, tmp_path: Path) -> None:
        """A row that is damaged or gone is said in `damage` or raised as an error, never left out without a word."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                results = await appended(journal, *(entry(f"m{number}") for number in range(5)))
            await self.lose(tmp_path / "journal", results[2].position)
            try:
                async with self.make_journal(tmp_path / "journal") as journal:
                    found, damage = await messages(journal), journal.damage
            except (JournalError, ConfigError):
                return
            assert damage or len(found) == 5, f"a row is lost, and {found} was read without a word"

        self.check(tmp_path, scenario)

    def test_an_intake_that_forgot_is_noticed(self, tmp_path: Path) -> None:
        """The intake was made anew and numbers from 1: what it takes then is read, or an error says why not."""

        async def scenario() -> None:
            async with self.make_journal(tmp_path / "journal") as journal:
                results = await appended(journal, *(entry(f"old{number}") for number in range(5)))
                await seal(journal, results[-1].position)
            await self.forget(tmp_path / "journal")
            try:
                async with self.make_journal(tmp_path / "journal") as journal:
                    await appended(journal, *(entry(f"new{number}") for number in range(3)))
                    found = await messages(journal)
            except (JournalError, ConfigError):
                return
            assert found == ["new0", "new1", "new2"], f"three new logs were acknowledged, {found} would be counted"

        self.check(tmp_path, scenario)
