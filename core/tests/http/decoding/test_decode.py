"""Decoding: the strict and the careful way agree, and whatever comes in, what goes on can be stored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.http.decoding.decode import BodyDecoder, Decoded
from log_aggregator.http.decoding.lenient import record_from
from log_aggregator.http.decoding.strict import Strict, UnusualError
from log_aggregator.http.problem import Problem
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.fields.limits import MAX_KEY_LENGTH, Limits
from log_aggregator.model.fields.text import is_dirty
from log_aggregator.model.record import DecodedRecords, Record
from log_aggregator.model.shapes import shapes_of

NOW = 1_795_465_413_000_000
LIMITS = Limits(records=50, message=200, keys=8, depth=3, metadata_bytes=400)
DECODER = BodyDecoder(LIMITS)

texts = st.text(max_size=300) | st.sampled_from(
    ["", "a\r\nb", "\x1b[31mred\x1b[0m", "\0", "x" * 250, "caf\xe9", "\U0001f600"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=10))
stamps = scalars | st.datetimes().map(str) | st.integers(1_700_000_000, 1_790_000_000)
logs = st.fixed_dictionaries(
    {"message": texts | scalars},
    optional={
        "level": st.none() | texts | st.integers(-5, 80) | scalars,
        "source": st.none() | texts | scalars,
        "timestamp": stamps,
        "metadata": st.none() | st.dictionaries(texts, scalars | values, max_size=12) | scalars,
        "extra": values,
    },
)


def shaped(records):
    """The records, whose shapes are right where the decoder made them."""
    if isinstance(records, DecodedRecords):
        assert records.shapes == shapes_of([record.message for record in records])
    return records


def carefully(batch: list[Any]) -> tuple[list[Record], list[tuple[int, str]]]:
    """What the careful way alone makes of decoded logs."""
    records, rejected = [], []
    for index, log in enumerate(batch):
        try:
            records.append(record_from(log, LIMITS, NOW))
        except BadLogError as error:
            rejected.append((index, str(error)))
    return records, rejected


def assert_refusal(problem: Problem) -> None:
    """A refusal that is the sender's fault, and says so."""
    assert problem.status in (400, 413, 422)
    assert problem.detail


def assert_storable(record: Record) -> None:
    """A record that no journal and no PostgreSQL refuses, within all limits."""
    assert 0 < len(record.message) <= LIMITS.message
    assert 0 < len(record.level) <= 10
    assert 0 < len(record.source) <= 100
    for text in (record.message, record.level, record.source, *_texts(record.metadata)):
        text.encode()
        assert not is_dirty(text)
    assert len(msgspec.json.encode(record.metadata)) <= LIMITS.metadata_bytes + 50  # the mark comes on top
    assert len(record.metadata) <= LIMITS.keys + 1
    assert all(len(key) <= MAX_KEY_LENGTH for key in record.metadata)
    assert _depth(record.metadata) <= LIMITS.depth
    assert 946_684_800_000_000 <= record.timestamp <= NOW + 86_400_000_000
    msgspec.msgpack.encode(record)
    json.dumps(record.metadata, allow_nan=False)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *_texts(item))]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(st.lists(logs, min_size=1, max_size=4), st.sampled_from(["object", "array", "lines"]), st.booleans())
def test_both_ways_agree(batch: list[Any], form: str, ascii_only: bool) -> None:
    if form == "lines":
        raw = "\n".join(json.dumps(log, ensure_ascii=ascii_only) for log in batch)
    else:
        raw = json.dumps({"logs": batch} if form == "object" else batch, ensure_ascii=ascii_only)
    decoded = DECODER.many(raw.encode("utf-8", "surrogatepass"), form == "lines", NOW)
    records, rejected = carefully(json.loads(json.dumps(batch)))
    assert shaped(decoded.records) == shaped(records)
    assert decoded.rejected == rejected
    for record in decoded.records:
        assert_storable(record)


@given(logs)
def test_one_log_is_decoded_as_in_a_batch(log: Any) -> None:
    raw = json.dumps(log).encode()
    decoded = DECODER.many(b"[" + raw + b"]", False, NOW)
    if decoded.records:
        alone = DECODER.one(raw, NOW)
        assert alone is not None
        assert shaped([alone]) == shaped(decoded.records[:1])
    else:
        with pytest.raises(Problem) as caught:
            DECODER.one(raw, NOW)
        assert caught.value.detail == decoded.rejected[0][1]


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_whatever_comes_is_decoded_or_refused(raw: bytes, lines: bool) -> None:
    try:
        decoded = DECODER.many(raw, lines, NOW)
    except Problem as problem:
        assert_refusal(problem)
        return
    for record in decoded.records:
        assert_storable(record)


@given(logs, st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_a_damaged_body_is_decoded_or_refused(log: Any, place: int, damage: bytes) -> None:
    raw = json.dumps(log).encode()
    place %= len(raw)
    damaged = raw[:place] + damage + raw[place + len(damage) :]
    try:
        alone = DECODER.one(damaged, NOW)
        for record in [alone] if alone else DECODER.many(damaged, False, NOW).records:
            assert_storable(record)
    except Problem as problem:
        assert_refusal(problem)


@given(st.lists(logs, min_size=1, max_size=3))
def test_what_the_strict_way_takes_is_storable(batch: list[Any]) -> None:
    try:
        records = Strict(LIMITS).many(json.dumps(batch).encode(), "array", NOW)
    except UnusualError:
        return
    for record in records:
        assert_storable(record)


def test_the_good_case_is_the_strict_one() -> None:
    batch = [{"message": "User 1", "level": "warning", "source": "a", "timestamp": NOW, "metadata": {"k": "v"}}] * 3
    records = Strict(LIMITS).many(json.dumps(batch).encode(), "array", NOW)
    assert records == [Record("User 1", "WARN", "a", NOW, {"k": "v"}, True)] * 3
    assert records.shapes == ["User 0"] * 3


def test_metadata_too_large_is_found_without_measuring_each() -> None:
    fields = {f"k{n}": "v" * 60 for n in range(8)}
    batch = [{"message": "a"}, {"message": "b", "metadata": fields}, {"message": "c"}]
    decoded = DECODER.many(json.dumps(batch).encode(), False, NOW)
    assert "_cut" in decoded.records[1].metadata


@pytest.mark.parametrize("body", ['{"logs": [%s]}', "[%s]", "%s"])
def test_a_rejected_log_keeps_its_index(body: str) -> None:
    body = body % (
        '{"message": "a"}, {}, {"message": "c"}' if "[" in body else '{"message": "a"}\n{}\n{"message": "c"}'
    )
    decoded = DECODER.many(body.encode(), False, NOW)
    assert [record.message for record in decoded.records] == ["a", "c"]
    assert decoded == Decoded(decoded.records, [(1, "message: missing, expected a text")], [0, 2])


ODD = (
    {"timestamp": "2099-01-01T00:00:00Z"}, {"timestamp": "yesterday"}, {"timestamp": NOW * 10**6}, {"level": "a\x1bb"},
    {"level": 10**6}, {"source": "x" * 300}, {"level": "", "timestamp": 4_000_000_000, "metadata": {"timestamp": 1}},
    {"timestamp": "2026-11-20T10:00:00Z"},
)  # fmt: skip


@given(st.lists(st.sampled_from(range(len(ODD))), max_size=6), st.integers(0, 20))
def test_a_field_that_is_no_good_changes_no_other_log(odd: list[int], usual: int) -> None:
    """Each log of a batch becomes what it becomes alone."""
    batch = [{"message": f"order {place} paid", "metadata": {"n": place}} for place in range(usual)]
    batch += [{"message": f"odd {one}", "level": "warn", **ODD[one]} for one in odd]
    if not batch:
        return
    decoded = DECODER.many(json.dumps({"logs": batch}).encode(), False, NOW)
    alone = [DECODER.many(json.dumps([log]).encode(), False, NOW) for log in batch]
    assert shaped(decoded.records) == [record for one in alone for record in one.records]
    assert [reason for _, reason in decoded.rejected] == [reason for one in alone for _, reason in one.rejected]
