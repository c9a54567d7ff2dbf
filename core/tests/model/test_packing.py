"""Summaries are packed in memory; what is written and what is equal does not show it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from log_aggregator.model.numbers import Numbers
from log_aggregator.model.summary import KeySummary, Summary, merge_summaries, summarize
from log_aggregator.model.values import Values

OBJECTS: dict[str, Any] = {
    "count": 3,
    "values": {"kept": {"1 ms": 2, "2 ms": 1}, "draws": {"1 ms": 0.5, "2 ms": -0.25}, "cells": []},
    "numbers": {
        "unit": "s",
        "count": 3,
        "low": 0.001,
        "high": 0.002,
        "nanos": "4",
        "zeros": 0,
        "bins": {-230: 2, -208: 1},
    },
}
"""What an outbox holds of a key that was encoded as objects."""


def test_what_was_written_as_objects_is_read_and_written_alike() -> None:
    payload = msgspec.msgpack.encode({"took": OBJECTS})
    read = msgspec.msgpack.decode(payload, type=Summary)
    assert read["took"].values == Values({"1 ms": 2, "2 ms": 1}, {"1 ms": 0.5, "2 ms": -0.25}, [])
    assert read["took"].numbers == Numbers("s", 3, 0.001, 0.002, "4", 0, {-230: 2, -208: 1})
    assert msgspec.msgpack.encode(read) == payload


def test_what_says_the_same_is_equal_in_whatever_order_it_was_packed() -> None:
    one, other = Values({"a": 1, "b": 2}), Values({"b": 2, "a": 1})
    assert KeySummary.of(3, one) == KeySummary.of(3, other)
    assert KeySummary.of(3, one) != KeySummary.of(4, one)
    assert KeySummary.of(3, one) != KeySummary.of(3, Values({"a": 2, "b": 1}))
    assert KeySummary.of(3, one) != "three logs"


def test_changing_what_was_unpacked_changes_nothing() -> None:
    summary = summarize([{"took": f"{n} ms"} for n in range(3)])
    values, numbers = summary["took"].values, summary["took"].numbers
    assert numbers is not None
    values.kept.clear()
    numbers.bins.clear()
    assert merge_summaries(summary, summary)["took"].values.kept == {f"{n} ms": 2 for n in range(3)}
    assert summary["took"].numbers != numbers


def test_a_value_that_is_no_proper_text_cannot_be_packed() -> None:
    with pytest.raises(UnicodeEncodeError):
        summarize([{"name": "\ud800"}])
