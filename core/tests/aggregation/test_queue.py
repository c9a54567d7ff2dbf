"""Entries leave the queue in their order, those of one type together."""

from __future__ import annotations

import asyncio

import pytest

from log_aggregator import Record
from log_aggregator.aggregation.queue import PartialsEntry, Queue, SlicesEntry
from log_aggregator.model.batch import WorkingBatch


def unprocessed(position: int, size: int) -> SlicesEntry:
    batch = WorkingBatch([Record("m", "INFO", "s", 1, {}) for _ in range(size)])
    return SlicesEntry(position, size, [batch])


def processed(position: int, size: int) -> PartialsEntry:
    return PartialsEntry(position, size, [])


def filled(*entries: SlicesEntry | PartialsEntry) -> Queue:
    queue = Queue()
    for entry in entries:
        queue.put(entry)
    return queue


def test_entries_are_taken_in_order_and_counted() -> None:
    queue = filled(processed(1, 5), unprocessed(2, 7))
    assert (len(queue), queue.records, queue.entries_put, queue.entries_taken) == (2, 12, 2, 0)
    assert [queue.take().position, queue.take().position] == [1, 2]
    assert (len(queue), queue.records, queue.entries_taken) == (0, 12, 2)
    with pytest.raises(IndexError):
        queue.take()


def test_processed_entries_are_not_taken_past_an_unprocessed_one() -> None:
    queue = filled(processed(1, 1), unprocessed(2, 1), processed(3, 1))
    first = queue.take_partials()
    assert first is not None
    assert first.position == 1
    assert queue.take_partials() is None
    assert (len(queue), queue.entries_taken) == (2, 1)


@pytest.mark.parametrize(("records", "positions"), [(0, []), (1, [1]), (10, [1]), (11, [1, 2]), (100, [1, 2])])
def test_unprocessed_entries_are_taken_up_to_a_size_and_not_past_a_processed_one(
    records: int, positions: list[int]
) -> None:
    queue = filled(unprocessed(1, 10), unprocessed(2, 10), processed(3, 1), unprocessed(4, 10))
    assert [entry.position for entry in queue.take_slices(records)] == positions
    assert queue.take().position == len(positions) + 1


async def test_drained_waits_until_all_records_are_aggregated() -> None:
    queue = filled(processed(1, 3))
    waiting = asyncio.create_task(queue.drained())
    await asyncio.sleep(0)
    queue.records -= queue.take().size
    assert not waiting.done()
    queue.mark_drained()
    async with asyncio.timeout(60):
        await waiting
        await queue.drained()
