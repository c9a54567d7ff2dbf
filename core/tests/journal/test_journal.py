"""The journal: group commit, the intake's keys, and an outbox whose merging never changes a total."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import ConfigError, Record
from log_aggregator.errors import KeyReusedError
from log_aggregator.journal import Appended, Entry, JournalError, LaneState, decode, encode
from log_aggregator.journal import outbox as outbox_module
from log_aggregator.journal.database import open_journal
from log_aggregator.journal.intake import Intake
from log_aggregator.journal.outbox import Outbox
from log_aggregator.journal.writer import Writer
from log_aggregator.model.aggregate import START
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush, Position
from log_aggregator_dev.strategies import flushes

Make = Callable[..., Record]


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    journal = open_journal(tmp_path)
    writer = Writer(journal.connection)
    yield writer
    await asyncio.to_thread(writer.close)
    journal.lock.close()


def flush(sequence: int, count: int = 1, pattern: str = "p") -> Flush:
    aggregate = Aggregate(0, pattern, "INFO", "app", count, 10, 20)
    return Flush("me", Position(7, sequence), None, sequence, sequence, count, (aggregate,))


def test_records_come_back_as_they_were(record: Make) -> None:
    batch = [
        record("ä\udc80 \n", metadata={"a": [1, {"b": None}], "n": 1.5}, level_is_explicit=False),
        record(tags=("t",)),
    ]
    batch[0].message = "ä \n"
    assert decode(encode(batch)) == batch


@pytest.mark.parametrize(
    ("field", "garbage", "becomes"),
    [
        ("message", b"bytes", ""),
        ("level", 5, "INFO"),
        ("source", None, "unknown"),
        ("metadata", {1: "number for a key"}, {}),
        ("metadata", [1], {}),
        ("level_is_explicit", "yes", True),
        ("tags", "a text", ()),
    ],
)
def test_what_a_plugin_left_garbled_does_not_stop_the_start(
    record: Make, field: str, garbage: object, becomes: object
) -> None:
    batch = [record("a", tags=("kept",)), record("b", tags=("kept",))]
    setattr(batch[0], field, garbage)
    found = decode(encode(batch))
    assert getattr(found[0], field) == becomes
    assert found[1] == batch[1]


def test_a_time_that_is_none_becomes_the_time_of_the_start(record: Make) -> None:
    batch = [record("a"), record("b")]
    batch[0].timestamp = "yesterday"  # type: ignore[assignment]
    found = decode(encode(batch))
    assert (type(found[0].timestamp), found[1]) == (int, batch[1])


async def test_work_that_waits_shares_a_commit(writer: Writer) -> None:
    intake = Intake(100)
    before = writer.commits
    futures = [writer.submit(lambda c: intake.append(c, [Entry(b"x", 1)])) for _ in range(200)]
    results = [(await future)[0] for future in futures]
    assert [r.position for r in results if isinstance(r, Appended)] == list(range(1, 201))
    assert writer.commits - before < 20


async def test_work_that_raises_fails_alone(writer: Writer) -> None:
    def fail(_: sqlite3.Connection) -> None:
        raise KeyReusedError("no")

    intake = Intake(100)
    bad, good = writer.submit(fail), writer.submit(lambda c: intake.append(c, [Entry(b"x", 1)]))
    with pytest.raises(KeyReusedError):
        await bad
    assert (await good)[0] == Appended(1, 1)


async def test_a_broken_disk_fails_everything_that_shared_the_commit(writer: Writer) -> None:
    intake = Intake(100)
    good = writer.submit(lambda c: intake.append(c, [Entry(b"x", 1)]))
    bad = writer.submit(lambda c: c.execute("INSERT INTO no_such_table VALUES (1)"))
    outcomes = await asyncio.gather(good, bad, return_exceptions=True)
    assert isinstance(outcomes[1], JournalError)
    rows = await writer.submit(lambda c: c.execute("SELECT count(*) FROM intake").fetchone()[0])
    assert rows == (0 if isinstance(outcomes[0], JournalError) else 1)


async def test_a_key_is_taken_once_with_one_body(writer: Writer) -> None:
    intake = Intake(100)
    entries = [Entry(b"x", 3, "k", b"one"), Entry(b"x", 3, "k", b"one"), Entry(b"y", 2, "k", b"two"), Entry(b"z", 1)]
    first, again, other, last = await writer.submit(lambda c: intake.append(c, entries))
    assert (first, again) == (Appended(1, 3), Appended(0, 3, duplicate=True))
    assert isinstance(other, KeyReusedError)
    assert last == Appended(2, 1)


async def test_keys_are_bounded_and_the_newest_are_kept(writer: Writer) -> None:
    intake = Intake(500)
    for start in range(0, 3000, 1000):
        entries = [Entry(None, 1, f"k{number}", b"d") for number in range(start, start + 1000)]
        await writer.submit(lambda c, entries=entries: intake.append(c, entries))
    kept = await writer.submit(lambda c: c.execute("SELECT count(*) FROM keys").fetchone()[0])
    assert kept <= 1500
    newest = await writer.submit(lambda c: intake.append(c, [Entry(None, 1, "k2999", b"d")]))
    assert newest == [Appended(0, 1, duplicate=True)]


async def test_reading_starts_after_a_position_and_trimming_forgets_up_to_one(writer: Writer, record: Make) -> None:
    intake = Intake(10)
    payloads = [encode([record(f"m{number}")]) for number in range(5)]
    await writer.submit(lambda c: intake.append(c, [Entry(payload, 1) for payload in payloads]))
    await writer.submit(lambda c: intake.trim(c, 2))
    rows = await writer.submit(lambda c: list(intake.read(c, 0, 2)))
    assert [(position, records[0].message) for position, records in rows] == [(3, "m2"), (4, "m3")]


async def test_positions_are_never_used_again(writer: Writer) -> None:
    intake = Intake(10)
    await writer.submit(lambda c: intake.append(c, [Entry(b"x", 1)] * 3))
    await writer.submit(lambda c: intake.trim(c, 3))
    (appended,) = await writer.submit(lambda c: intake.append(c, [Entry(b"x", 1)]))
    assert isinstance(appended, Appended)
    assert appended.position == 4


@given(flushes())
def test_a_flush_comes_back_as_it_was(sealed: Flush) -> None:
    whole = msgspec.structs.replace(
        sealed,
        aliases=(Alias("old", "p", 1), *sealed.aliases),
        anomalies=(Anomaly("a", "spike", "open", "notify", "id", "p", "INFO", "s", 1, 2, 0.5, details={"seen": 3}),),
    )
    connection, outbox = _memory_outbox([])
    with contextlib.closing(connection):
        outbox.seal(connection, whole)
        assert outbox.after(connection, 0) == whole


async def test_a_new_lane_starts_behind_what_was_sealed(writer: Writer) -> None:
    outbox = Outbox()
    await writer.submit(lambda c: outbox.seal(c, flush(1)))
    assert await writer.submit(lambda c: outbox.open_lane(c, "late")) == LaneState(1, START, 0)


async def test_a_flush_is_forgotten_when_every_lane_is_done_with_it(writer: Writer) -> None:
    outbox = Outbox()
    for name in ("a", "b"):
        await writer.submit(lambda c, name=name: outbox.open_lane(c, name))
    for sequence in (1, 2):
        await writer.submit(lambda c, s=sequence: outbox.seal(c, flush(s)))
    await writer.submit(lambda c: outbox.advance(c, "a", LaneState(2, Position(7, 2), 0), ["a", "b"]))
    assert (await writer.submit(lambda c: outbox.waiting(c, 0))).flushes == 2
    await writer.submit(lambda c: outbox.advance(c, "b", LaneState(1, Position(7, 1), 0), ["a", "b"]))
    assert (await writer.submit(lambda c: outbox.waiting(c, 0))).flushes == 1


def _memory_outbox(counts: list[int]) -> tuple[sqlite3.Connection, Outbox]:
    from log_aggregator.journal.database import _prepare

    connection = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(connection)
    outbox = Outbox()
    for sequence, count in enumerate(counts, 1):
        outbox.seal(connection, flush(sequence, count, f"p{sequence % 3}"))
    return connection, outbox


def _read_from(connection: sqlite3.Connection, outbox: Outbox, cursor: int) -> list[Flush]:
    flushes = []
    while (found := outbox.after(connection, cursor)) is not None:
        flushes.append(found)
        cursor = found.position.sequence
    return flushes


@given(
    counts=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    rounds=st.integers(1, 8),
)
def test_merging_changes_no_lanes_totals_and_never_its_head(
    counts: list[int], shares: list[float], rounds: int
) -> None:
    connection, outbox = _memory_outbox(counts)
    cursors = [int(share * len(counts)) for share in shares]
    heads = [outbox.after(connection, cursor) for cursor in cursors]
    for _ in range(rounds):
        outbox.merge_waiting(connection, cursors, 5)
    for cursor, head in zip(cursors, heads, strict=True):
        flushes = _read_from(connection, outbox, cursor)
        assert sum(f.logs for f in flushes) == sum(counts[cursor:])
        assert sum(a.count for f in flushes for a in f.aggregates) == sum(counts[cursor:])
        assert (flushes[0] if flushes else None) == head
    connection.close()


def test_a_long_outage_costs_space_by_patterns_not_by_time() -> None:
    connection, outbox = _memory_outbox([1] * 2000)
    while outbox.merge_waiting(connection, [0], 5):
        pass
    assert outbox.waiting(connection, 0).flushes <= 16
    connection.close()


def test_flushes_of_many_groups_are_merged_by_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half as many patterns as a merged flush may hold: two flushes of an outage become one, again and again."""
    monkeypatch.setattr(outbox_module, "MERGED_GROUPS", 20)
    connection, outbox = _memory_outbox([])
    patterns = [f"p{number}" for number in range(10)]
    for sequence in range(1, 101):
        aggregates = tuple(Aggregate(0, pattern, "INFO", "s", 1, 1, 2) for pattern in patterns)
        outbox.seal(connection, Flush("me", Position(1, sequence), None, 1, 2, 10, aggregates))
        if sequence >= outbox_module.MERGE_AT:
            outbox.merge_waiting(connection, [0], 5)
    waiting = outbox.waiting(connection, 0)
    assert waiting.logs == 1000
    assert waiting.flushes <= outbox_module.MERGE_AT
    assert waiting.groups <= outbox_module.MERGE_AT * len(patterns)
    connection.close()


def test_a_second_service_on_the_same_directory_is_told_who_has_it(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(ConfigError, match=r"in use by another service \(process \d+\)"):
        open_journal(tmp_path)
    journal.lock.close()
    journal.connection.close()


def test_the_instance_stays_and_the_epoch_changes(tmp_path: Path) -> None:
    identities = []
    for _ in range(2):
        journal = open_journal(tmp_path)
        identities.append(journal.identity)
        journal.connection.close()
        journal.lock.close()
    assert identities[0].instance == identities[1].instance
    assert identities[0].epoch != identities[1].epoch


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"DATA_DIR .*file.*cannot be used"):
        open_journal(tmp_path / "file")
