"""Every mode of the protocol, and bytes that only look like it."""

from __future__ import annotations

import contextlib
import gzip
import struct
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.receivers import BadLogError
from log_aggregator_forward.decoding import Chunk, EventTime, ProtocolError, chunk_of, unpacker
from log_aggregator_forward.docker import Piece, Pieces
from log_aggregator_forward.records import record_of

TIME = msgpack.ExtType(0, struct.pack(">II", 1_796_000_000, 250_000_000))
NANOSECONDS = 1_796_000_000_250_000_000
RECORD = {"log": "disk full", "level": "error"}
PACKED = msgpack.packb([TIME, RECORD]) + msgpack.packb([[TIME, {}], RECORD])


def decoded(message: Any) -> Chunk:
    stream = unpacker()
    stream.feed(msgpack.packb(message))
    return chunk_of(next(iter(stream)))


def plain(chunk: Chunk) -> list[tuple[Any, Any]]:
    return [(time[0] if isinstance(time, list) else time, record) for time, record in chunk.entries]


@pytest.mark.parametrize(
    ("message", "entries"),
    [
        (["tag", TIME, RECORD], 1),
        (["tag", [TIME, {}], RECORD, {"chunk": "id"}], 1),
        (["tag", [[TIME, RECORD], [TIME, RECORD]], {"chunk": "id"}], 2),
        (["tag", [[TIME, RECORD]], None], 1),
        (["tag", PACKED, {"chunk": "id"}], 2),
        (["tag", PACKED], 2),
        (["tag", gzip.compress(PACKED) + gzip.compress(PACKED), {"compressed": "gzip", "chunk": "id"}], 4),
    ],
)
def test_every_mode_gives_the_same_entries(message: Any, entries: int) -> None:
    chunk = decoded(message)
    assert plain(chunk) == [(NANOSECONDS, RECORD)] * entries
    assert chunk.chunk == ("id" if isinstance(message[-1], dict) and "chunk" in message[-1] else None)
    assert all(isinstance(time, EventTime) for time, _ in plain(chunk))


def test_metrics_and_traces_are_no_logs() -> None:
    assert not decoded(["tag", b"\x82no entries", {"fluent_signal": 1, "chunk": "id"}]).is_logs


@pytest.mark.parametrize(
    "message",
    [
        1, [], ["tag"], ["tag", 1], [1, [], {}], ["tag", [1]], ["tag", b"\xc1"], ["tag", b"\x92\x01", {}, 1, 2],
        ["tag", b"not gzip", {"compressed": "gzip"}], ["tag", PACKED, {"compressed": "zstd"}],
        ["tag", gzip.compress(PACKED)[:-4], {"compressed": "gzip"}],
        ["tag", gzip.compress(bytes(70_000_000), 1), {"compressed": "gzip"}],
    ],
)  # fmt: skip
def test_what_is_not_the_protocol_is_refused(message: Any) -> None:
    with pytest.raises(ProtocolError):
        decoded(message)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        chunk_of(["tag", data, {}])


def test_a_record_is_found_by_the_field_table_with_the_tag_as_its_source() -> None:
    record = record_of("kube.shop", EventTime(NANOSECONDS), {"log": "disk full\n", "level": "error", "shop": "berlin"})
    assert (record.message, record.level, record.source) == ("disk full", "ERROR", "kube.shop")
    assert (record.timestamp, record.metadata) == (NANOSECONDS // 1000, {"shop": "berlin"})


def test_a_json_line_of_a_container_says_level_and_message() -> None:
    sent = {"container_name": "/shop-1", "source": "stdout", "log": '{"msg": "text", "level": "warn", "order": 7}'}
    record = record_of("docker.ab", 1_796_000_000, sent)
    assert (record.message, record.level, record.metadata["order"]) == ("text", "WARN", 7)


@pytest.mark.parametrize("sent", [None, 7, {}, {"n": 1}])
def test_an_entry_without_text_is_refused(sent: Any) -> None:
    with pytest.raises(BadLogError):
        record_of("tag", None, sent)


def piece(ordinal: int, text: str, last: bool = False) -> Piece:
    record = {
        "log": text, "partial_message": "true", "partial_id": "p", "partial_ordinal": str(ordinal),
        "partial_last": "true" if last else "false", "container_name": "/shop",
    }  # fmt: skip
    return Piece("docker.ab", ordinal, record)


def test_pieces_of_a_long_line_are_joined() -> None:
    pieces, between = Pieces(), Piece("other", 7, {"log": "between"})
    assert pieces.join(piece(1, "a")) == pieces.join(piece(2, "b")) == []
    assert pieces.join(between) == [between]
    assert pieces.join(piece(3, "c", last=True)) == [Piece("docker.ab", 1, {"log": "abc", "container_name": "/shop"})]
    pieces.join(piece(1, "never finished"))
    assert pieces.rest() == [Piece("docker.ab", 1, {"log": "never finished", "container_name": "/shop"})]


@pytest.mark.parametrize("place", ["log", "note"])
def test_what_is_no_unicode_is_replaced_in_flat_records_too(place: str) -> None:
    record = record_of("app", 0, {"log": "full", place: "disk \udce2\udc82 full"})  # a sign that breaks off
    assert {"log": record.message, **record.metadata}[place] == "disk \ufffd full"
