"""Chunks: out of order, repeated, never whole, from many senders."""

from __future__ import annotations

import random
import tracemalloc

from log_aggregator_gelf.chunks import LIFETIME, MAGIC, MOST_BYTES, Chunks


def chunk(number: int, total: int, data: bytes, name: bytes = b"message1") -> bytes:
    return MAGIC + name + bytes([number, total]) + data


def test_a_message_is_whole_in_any_order_with_repeats() -> None:
    parts = [bytes([65 + number]) * 5 for number in range(20)]
    for seed in range(20):
        chunks, order = Chunks(), list(range(20)) * 2
        random.Random(seed).shuffle(order)
        whole = [made for number in order if (made := chunks.add(chunk(number, 20, parts[number]), "a", 0.0))]
        assert whole[0] == b"".join(parts)


def test_messages_of_two_senders_with_one_id_do_not_meet() -> None:
    chunks = Chunks()
    assert chunks.add(chunk(0, 2, b"a"), "a", 0.0) is None
    assert chunks.add(chunk(1, 2, b"b"), "b", 0.0) is None
    assert chunks.add(chunk(1, 2, b"a"), "a", 0.0) == b"aa"


def test_a_message_that_is_not_whole_in_time_is_dropped() -> None:
    chunks = Chunks()
    chunks.add(chunk(0, 2, b"a"), "a", 0.0)
    assert chunks.add(chunk(1, 2, b"a"), "a", LIFETIME) is None
    assert chunks.dropped == 1


def test_counts_that_lie_are_dropped() -> None:
    chunks = Chunks()
    for data in (MAGIC, chunk(5, 5, b"x"), chunk(0, 129, b"x"), chunk(0, 0, b"x"), chunk(0, 2, b"")):
        assert chunks.add(data, "a", 0.0) is None
    assert chunks.dropped == 5


def test_senders_that_never_finish_take_bounded_memory() -> None:
    chunks = Chunks()
    tracemalloc.start()
    for number in range(20_000):
        chunks.add(chunk(0, 2, bytes(2000), number.to_bytes(8, "big")), f"10.0.{number % 250}.1", 0.0)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 2 * MOST_BYTES
    assert chunks.dropped > 10_000
