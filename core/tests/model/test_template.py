"""Records of a template are those that `Record.of` makes."""

from __future__ import annotations

from typing import Any

import pytest

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, RecordTemplate

NANOS = 1_790_000_000_123_456_789


@pytest.mark.parametrize("message", ["plain", "dirty \x1b[31mred\x00", "x" * 20_000, b"bytes \xff", 7, True])
@pytest.mark.parametrize("timestamp", [NANOS, NANOS // 10**9, 1, "2026-09-21T14:13:20Z", 1.79e9, 10**20])
@pytest.mark.parametrize("more", [None, {}, {"a": 2, "c": {"d": float("nan")}}, {f"k{n}": n for n in range(100)}])
def test_a_record_is_as_if_made_alone(message: Any, timestamp: Any, more: Any) -> None:
    shared: dict[str, Any] = {"level": "warning", "source": " shop ", "metadata": {"a": 1, "b\x00": "x"}}
    made = RecordTemplate(**shared).record(message, timestamp, more)
    metadata = shared["metadata"] | (more or {})
    alone = Record.of(message, timestamp=timestamp, **{**shared, "metadata": metadata})
    assert (made.message, made.level, made.source, made.level_is_explicit) == (
        alone.message, "WARN", "shop", True,
    )  # fmt: skip
    if "timestamp_sent" in alone.metadata or "_cut" in alone.metadata:
        assert len(made.metadata) == len(alone.metadata)
    else:
        assert made.timestamp == alone.timestamp
        assert repr(made.metadata) == repr(alone.metadata)


def test_what_is_missing_and_what_is_bad() -> None:
    template = RecordTemplate()
    assert template.record("m").level_is_explicit is False
    assert template.record("m", NANOS).metadata is template.record("n", NANOS).metadata
    for wrong in ("", None, [], {}):
        with pytest.raises(BadLogError):
            template.record(wrong)  # type: ignore[arg-type]  # what hostile senders make of it
