"""Ten faults that a journal over servers is likely to have, each put in on purpose: a check must find each."""

from __future__ import annotations

import asyncio
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.journals import Appended, Entry, LaneState, Stand, SupersededError, decode_row
from log_aggregator_dev.journal_suite import appended, entry, next_flush, seal
from log_aggregator_jetstream import intake, partition
from log_aggregator_jetstream.partition import COVERED, UPTO, JetstreamPartition
from plugins.jetstream.tests.test_contract import JetstreamUnderTest
from tests.support.nats import NatsCluster, needs_nats

pytestmark = needs_nats


def acknowledges_before_the_servers_do(patch: pytest.MonkeyPatch) -> str:
    write = intake.Intake._write

    async def hasty(self: intake.Intake, entry: Entry, body: bytes, key: str) -> Any:
        asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(write(self, entry, body, key)))
        return Appended(1, entry.accepted)

    patch.setattr(intake.Intake, "_write", hasty)
    return "test_what_was_acknowledged_survives_a_crash"


def draws_a_new_id_for_a_repeat(patch: pytest.MonkeyPatch) -> str:
    write = intake.Intake._write

    def anew(self: intake.Intake, entry: Entry, body: bytes, key: str) -> Any:
        return write(self, entry, body, secrets.token_hex(8))

    patch.setattr(intake.Intake, "_write", anew)
    return "test_a_repeat_under_its_key_is_a_duplicate"


def seals_without_the_expected_sequence(patch: pytest.MonkeyPatch) -> str:
    async def unfenced(self: JetstreamPartition, body: bytes, headers: dict[str, str], sequence: int) -> None:
        del headers["Nats-Expected-Last-Sequence"]
        await self._connection.publish(self._names.flushes(self.number), body, headers)

    patch.setattr(JetstreamPartition, "_publish", unfenced)
    return "two owners"


def writes_upto_in_a_second_message(patch: pytest.MonkeyPatch) -> str:
    write, stand = JetstreamPartition._publish, JetstreamPartition.stand

    async def twice(self: JetstreamPartition, body: bytes, headers: dict[str, str], sequence: int) -> None:
        await write(self, body, {**headers, UPTO: str(self._upto), COVERED: ""}, sequence)
        await self._kept.put(headers[UPTO].encode(), "upto", str(self.number))

    async def stands(self: JetstreamPartition) -> Stand:
        found, upto = await stand(self), await self._kept.load("upto", str(self.number))
        self._upto = int(upto.body) if upto else 0
        return found._replace(upto=self._upto)

    patch.setattr(JetstreamPartition, "_publish", twice)
    patch.setattr(JetstreamPartition, "stand", stands)
    return "test_a_flush_and_the_rows_it_covers_are_one_step"


def purges_at_once(patch: pytest.MonkeyPatch) -> str:
    publish = JetstreamPartition._publish

    async def purging(self: JetstreamPartition, body: bytes, headers: dict[str, str], sequence: int) -> None:
        await publish(self, body, headers, sequence)
        await self._connection.js.purge_stream(self._intake, seq=int(headers[UPTO]) + 1)

    patch.setattr(JetstreamPartition, "_publish", purging)
    return "restart"


def steps_over_a_gap(patch: pytest.MonkeyPatch) -> str:
    async def read(self: JetstreamPartition, after: int, most: int) -> Any:
        found = await self._connection.following(self._intake, after, most, partition.READ_BYTES)
        return [(one.sequence, decode_row(intake.unpacked(one.body))) for one in found]

    patch.setattr(JetstreamPartition, "read", read)
    return "test_a_lost_row_is_not_stepped_over"


def reads_what_is_new(patch: pytest.MonkeyPatch) -> str:
    stand = JetstreamPartition.stand

    async def newest(self: JetstreamPartition) -> Stand:
        return (await stand(self))._replace(upto=await self.newest())

    patch.setattr(JetstreamPartition, "stand", newest)
    return "test_reading_goes_on_where_the_newest_flush_ends"


def moves_a_lane_that_only_read(patch: pytest.MonkeyPatch) -> str:
    after = JetstreamPartition.after

    async def noting(self: JetstreamPartition, cursor: int) -> Any:
        flush = await after(self, cursor)
        for name in self._revisions if flush is not None else ():
            await self.advance(name, LaneState(flush.position.sequence, flush.position, 0), list(self._revisions))
        return flush

    patch.setattr(JetstreamPartition, "after", noting)
    return "test_reading_a_flush_moves_no_lane"


def chooses_the_partition_by_the_source(patch: pytest.MonkeyPatch) -> str:
    write = intake.Intake._write

    async def scattered(self: intake.Intake, entry: Entry, body: bytes, key: str) -> Any:
        source = decode_row(entry.payload)[0].source
        patch.setattr(intake.Intake, "_partition_of", lambda self, _: zlib.crc32(source.encode()) % self._partitions)
        return await write(self, entry, body, key)

    patch.setattr(intake.Intake, "_write", scattered)
    return "test_a_key_is_known_whatever_the_records_are"


def does_not_ask_whether_the_log_goes_on(patch: pytest.MonkeyPatch) -> str:
    async def trusting(self: JetstreamPartition, newest: Any) -> None:
        return None

    patch.setattr(JetstreamPartition, "_continues", trusting)
    return "test_an_intake_that_forgot_is_noticed"


MUTANTS = [
    acknowledges_before_the_servers_do,
    draws_a_new_id_for_a_repeat,
    seals_without_the_expected_sequence,
    writes_upto_in_a_second_message,
    purges_at_once,
    steps_over_a_gap,
    reads_what_is_new,
    moves_a_lane_that_only_read,
    chooses_the_partition_by_the_source,
    does_not_ask_whether_the_log_goes_on,
]


class Suite(JetstreamUnderTest):
    """The contract, and two checks that only servers can fail."""

    partitions = 1

    def config(self, directory: Path) -> Any:
        return super().config(directory).model_copy(update={"partitions": self.partitions})

    async def two_owners(self, directory: Path) -> None:
        """Two processes read the same rows and seal them: one of them must learn that it is too late."""
        async with self.make_journal(directory) as one, self.make_journal(directory) as two:
            (row,) = await appended(one, entry("a"))
            flushes = [await next_flush(one, logs=1), await next_flush(two, logs=1, pattern="q")]
            await one.partition.seal(flushes[0], row.position, keep=True)
            with pytest.raises(SupersededError):
                await two.partition.seal(flushes[1], row.position, keep=True)

    async def restart(self, directory: Path) -> None:
        """A repeat is known after the servers started anew, though a flush covers its row."""
        one = entry("a", key="k", digest=b"1")
        async with self.make_journal(directory) as first:
            (row,) = await appended(first, one)
            await seal(first, row.position)
        self.cluster.kill(0)
        self.cluster.start(0)
        await asyncio.to_thread(self.cluster.wait_until_ready)
        async with self.make_journal(directory) as again:
            assert (await appended(again, one))[0].duplicate, "the repeat was kept again"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with NatsCluster(tmp_path_factory.mktemp("nats")) as Suite.cluster:
        yield Suite()


def run(suite: Suite, check: str, directory: Path) -> None:
    """One check, by its name."""
    if check.startswith("test_"):
        getattr(suite, check)(directory)
        return
    scenario = suite.two_owners if check == "two owners" else suite.restart

    async def limited() -> None:
        async with asyncio.timeout(30), suite.around(directory):
            await scenario(directory / "journal")

    asyncio.run(limited())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_a_mutant_is_found(mutant: Any, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.partitions = 3 if mutant is chooses_the_partition_by_the_source else 1
    check = mutant(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run(suite, check, tmp_path)


@pytest.mark.parametrize("check", ["two owners", "restart", "test_a_key_is_known_whatever_the_records_are"])
def test_without_a_mutant_the_checks_pass(check: str, suite: Suite, tmp_path: Path) -> None:
    suite.partitions = 3 if check.startswith("test_a_key") else 1
    run(suite, check, tmp_path)
