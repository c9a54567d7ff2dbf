"""Journals with one named fault each and the check that must find it.

The first ten are the faults that a journal over servers is most likely to have.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import msgspec

from log_aggregator.journals import START, Appended, Entry, LaneState, Stand, Waiting, decode_records
from log_aggregator.sinks import Flush
from packages.dev.tests.changed_journal import BrokenJournal, BrokenPartition


class AcknowledgesBeforeItIsWritten(BrokenJournal):
    finds = "test_what_was_acknowledged_survives_a_crash"
    held: ClassVar[list[Entry]] = []

    def append(self, entries: list[Entry]) -> Any:
        before, self.__class__.held = self.held, list(entries)
        super().append(before)
        done = asyncio.get_running_loop().create_future()
        done.set_result([Appended(1, entry.accepted) for entry in entries])
        return done


class GivesARepeatANewId(BrokenJournal):
    finds = "test_a_repeat_under_its_key_is_a_duplicate"

    def append(self, entries: list[Entry]) -> Any:
        return super().append([entry._replace(key=None) for entry in entries])


class _SealsWhateverComes(BrokenPartition):
    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        newest = (await self.good.stand()).sequence
        position = flush.position._replace(sequence=newest + 1)
        await self.good.seal(msgspec.structs.replace(flush, position=position), watermark, keep=keep)


class SealsWithoutTheExpectedSequence(BrokenJournal):
    finds = "test_a_flush_that_does_not_follow_is_refused"
    parts = _SealsWhateverComes


class _SealsInTwoSteps(BrokenPartition):
    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        await self.good.seal(flush, 0, keep=keep)
        await self.journal.writer.submit(lambda c: self.journal.intake.trim(c, watermark))


class WritesTheWatermarkApart(BrokenJournal):
    finds = "test_a_flush_and_the_rows_it_covers_are_one_step"
    parts = _SealsInTwoSteps


class _ForgetsKeys(BrokenPartition):
    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        await self.good.seal(flush, watermark, keep=keep)
        await self.journal.writer.submit(lambda c: c.execute("DELETE FROM keys"))


class ForgetsKeysWithTheirRows(BrokenJournal):
    finds = "test_a_key_outlives_its_rows"
    parts = _ForgetsKeys


class StepsOverALostRow(BrokenJournal):
    finds = "test_a_lost_row_is_not_stepped_over"

    async def load(self) -> None:
        await super().load()
        self.damage = ""


class _StartsAtTheNewest(BrokenPartition):
    begin = 0

    async def stand(self) -> Stand:
        query = "SELECT coalesce(max(position), 0) FROM intake"
        self.begin = self.begin or await self.journal.writer.submit(lambda c: c.execute(query).fetchone()[0])
        return Stand((await self.good.stand()).sequence, self.begin)


class ReadsWhatIsNewSinceTheStart(BrokenJournal):
    finds = "test_reading_goes_on_where_the_newest_flush_ends"
    parts = _StartsAtTheNewest


class _MovesLanesWhenRead(BrokenPartition):
    async def after(self, cursor: int) -> Flush | None:
        found = await self.good.after(cursor)
        if found is not None:
            query = "UPDATE lanes SET cursor = max(cursor, ?)"
            await self.journal.writer.submit(lambda c: c.execute(query, (found.position.sequence,)))
        return found


class NotesACursorBeforeTheSinkHasStored(BrokenJournal):
    finds = "test_reading_a_flush_moves_no_lane"
    parts = _MovesLanesWhenRead


class KnowsKeysBySource(BrokenJournal):
    finds = "test_a_key_is_known_whatever_the_records_are"

    def append(self, entries: list[Entry]) -> Any:
        return super().append([entry._replace(key=self._scoped(entry)) for entry in entries])

    def _scoped(self, entry: Entry) -> str | None:
        if entry.key is None or entry.payload is None:
            return entry.key
        return f"{decode_records(entry.payload)[0].source}/{entry.key}"


class _GoesOnAtItsNumber(BrokenPartition):
    async def stand(self) -> Stand:
        kept = await self.journal.load_state("journal", "upto")
        return Stand((await self.good.stand()).sequence, int(kept or b"0"))

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        await self.good.seal(flush, watermark, keep=keep)
        await self.journal.save_state("journal", "upto", b"%d" % watermark)


class TrustsItsNumberWithoutAskingTheIntake(BrokenJournal):
    finds = "test_an_intake_that_forgot_is_noticed"
    parts = _GoesOnAtItsNumber


class _ReadsBackwards(BrokenPartition):
    async def read(self, after: int, most: int) -> Any:
        return list(reversed(await self.good.read(after, most)))


class ReadsBackwards(BrokenJournal):
    finds = "test_rows_come_back_once_and_in_order"
    parts = _ReadsBackwards


class _KnowsRecordsOnly(BrokenPartition):
    async def read(self, after: int, most: int) -> Any:
        return [(position, content) for position, content in await self.good.read(after, most) if type(content) is list]


class KnowsRecordsOnly(BrokenJournal):
    finds = "test_aggregates_of_another_service_come_back"
    parts = _KnowsRecordsOnly


class TakesAReusedKey(BrokenJournal):
    finds = "test_a_reused_key_is_refused_in_its_place"

    def append(self, entries: list[Entry]) -> Any:
        return super().append([entry._replace(digest=b"") for entry in entries])


class ForgetsWhereReadersAre(BrokenJournal):
    finds = "test_a_readers_position_is_there_with_its_records"

    def append(self, entries: list[Entry]) -> Any:
        kept = [entry if entry.payload is not None else entry._replace(position=None) for entry in entries]
        return super().append(kept)


class _GivesRowsUpFirst(BrokenPartition):
    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        await self.journal.writer.submit(lambda c: self.journal.intake.trim(c, watermark))
        await self.good.seal(flush, watermark, keep=keep)


class GivesRowsUpForAFlushThatCannotBeWritten(BrokenJournal):
    finds = "test_a_flush_that_cannot_be_written_changes_nothing"
    parts = _GivesRowsUpFirst


class _LosesDetails(BrokenPartition):
    async def after(self, cursor: int) -> Flush | None:
        found = await self.good.after(cursor)
        return found and msgspec.structs.replace(found, opened=0)


class LosesWhenAFlushWasOpened(BrokenJournal):
    finds = "test_flushes_come_back_as_they_were"
    parts = _LosesDetails


class _KeepsAll(BrokenPartition):
    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        await self.good.seal(flush, watermark, keep=True)


class KeepsFlushesForNobody(BrokenJournal):
    finds = "test_without_sinks_no_flush_is_kept"
    parts = _KeepsAll


class _StartsLanesAtTheBeginning(BrokenPartition):
    async def open_lane(self, name: str) -> LaneState:
        state = await self.good.open_lane(name)
        return state if state.stored != START else state._replace(cursor=0)


class GivesANewSinkWhatWasSealedBefore(BrokenJournal):
    finds = "test_a_new_lane_starts_behind_what_was_sealed"
    parts = _StartsLanesAtTheBeginning


class _ForgetsLosses(BrokenPartition):
    async def open_lane(self, name: str) -> LaneState:
        return (await self.good.open_lane(name))._replace(lost=0)


class ForgetsWhatALaneDropped(BrokenJournal):
    finds = "test_a_lane_that_dropped_flushes_says_so"
    parts = _ForgetsLosses


class _CountsAll(BrokenPartition):
    async def waiting(self, cursor: int) -> Waiting:
        return await self.good.waiting(0)


class CountsWhatALaneHas(BrokenJournal):
    finds = "test_what_waits_is_what_lies_after_the_cursor"
    parts = _CountsAll


class _MergesTheHead(BrokenPartition):
    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        return await self.good.merge_waiting([0], max_samples)


class MergesWhatALaneHasBegunWith(BrokenJournal):
    finds = "test_merging_changes_no_total"
    parts = _MergesTheHead


class KeepsStateInMemory(BrokenJournal):
    finds = "test_what_plugins_keep_survives_a_crash"

    async def save_state(self, plugin: str, name: str, value: bytes) -> None:
        self.__dict__[f"{plugin}/{name}"] = value

    async def load_state(self, plugin: str, name: str) -> bytes | None:
        return self.__dict__.get(f"{plugin}/{name}")


class SaysThatNothingIsKept(BrokenJournal):
    finds = "test_its_figures_can_be_asked"

    async def used_bytes(self) -> int:
        return 0


MUTANTS: tuple[type[BrokenJournal], ...] = (
    AcknowledgesBeforeItIsWritten,
    GivesARepeatANewId,
    SealsWithoutTheExpectedSequence,
    WritesTheWatermarkApart,
    ForgetsKeysWithTheirRows,
    StepsOverALostRow,
    ReadsWhatIsNewSinceTheStart,
    NotesACursorBeforeTheSinkHasStored,
    KnowsKeysBySource,
    TrustsItsNumberWithoutAskingTheIntake,
)
BROKEN_JOURNALS = (*MUTANTS, *(cls for cls in BrokenJournal.__subclasses__() if cls not in MUTANTS))
