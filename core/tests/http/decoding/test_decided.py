"""Every decided answer of docs/reference/http.md about what a log may hold: each alone, in an otherwise good batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from log_aggregator.config.limits import limits_of
from log_aggregator.config.settings import Settings
from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.model.record import Record

NOW = 1_795_465_413_000_000
DECODER = BodyDecoder(limits_of(Settings()))
GOOD = '{"message": "good", "level": "INFO", "source": "app"}'


def decoded(log: str | dict[str, Any]) -> Record:
    """The log's record; it is the same alone, in a batch beside good ones, and as a line."""
    text = log if isinstance(log, str) else json.dumps(log, ensure_ascii=False)
    raw = text.encode("utf-8", "surrogateescape")
    alone = DECODER.one(raw, NOW)
    assert alone is not None
    in_array = DECODER.many(b"[" + GOOD.encode() + b"," + raw + b"]", False, NOW).records[1]
    as_line = DECODER.many(GOOD.encode() + b"\n" + raw + b"\n", True, NOW).records[1]
    assert alone == in_array == as_line
    return alone


def message(escaped: str) -> str:
    return decoded('{"message": "SENT"}'.replace("SENT", escaped)).message


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\\u0000b", "a\ufffdb"),
        ("a\\u001fb", "a\ufffdb"),
        ("a\x7fb", "a\ufffdb"),
        ("a\\u007fb", "a\ufffdb"),
        ("a\x85b", "a\ufffdb"),
        ("a\\u0085b", "a\ufffdb"),
        ("a\\bb", "a\ufffdb"),
        ("a\\fb", "a\ufffdb"),
        ("a\x01b", "a\ufffdb"),
        ("a\\r\\nb", "a\nb"),
        ("a\\rb", "a\nb"),
        ("a\\n\\tb", "a\n\tb"),
        ("a\\ud800b", "a\ufffdb"),
        ("a\\udc00b", "a\ufffdb"),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("caf\udce9", "caf\ufffd"),
        ("\\u001b[1;31mred\\u001b[0m", "red"),
        ("\\u001b]0;title\\u0007text", "text"),
        ("\\u009b31mred", "red"),
        ("\\u001b(Btext", "text"),
        ("C:\\\\bin", "C:\\bin"),
        ("\u00fcber \u2028", "\u00fcber \u2028"),
    ],
)
def test_characters(sent: str, kept: str) -> None:
    assert message(sent) == kept
    assert decoded('{"message": "a", "source": "sSENT"}'.replace("SENT", sent)).source == ("s" + kept).strip()
    assert decoded('{"message": "a", "metadata": {"kSENT": ["SENT"]}}'.replace("SENT", sent)).metadata == {
        "k" + kept: [kept]
    }
    assert decoded('{"message": "a", "metadata": {"k": "SENT"}}'.replace("SENT", sent)).metadata == {"k": kept}


def test_a_message_too_long_is_cut_with_a_mark() -> None:
    assert message("x" * 16_384) == "x" * 16_384
    cut = message("x" * 20_000)
    assert len(cut) == 16_384
    assert cut.endswith("… [cut, 20000 characters]")


@pytest.mark.parametrize(("sent", "kept"), [(42, "42"), (1.5, "1.5"), (True, "true"), (False, "false")])
def test_a_message_that_is_no_text(sent: Any, kept: str) -> None:
    assert decoded({"message": sent}).message == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("warning", "WARN"), ("Err", "ERROR"), ("crit", "CRITICAL"), ("emerg", "FATAL"), (" info ", "INFO"),
        ("audit", "AUDIT"), ("informational", "INFO"), ("x" * 50, "X" * 10), ("30", "INFO"),
        (10, "TRACE"), (20, "DEBUG"), (30, "INFO"), (40, "WARN"), (50, "ERROR"), (60, "FATAL"), (35, "INFO"),
        (0, "FATAL"), (1, "FATAL"), (2, "CRITICAL"), (3, "ERROR"), (4, "WARN"), (5, "NOTICE"), (6, "INFO"),
        (7, "DEBUG"),         (30.0, "INFO"), (4711, "4711"),
    ],
)  # fmt: skip
def test_levels(sent: Any, kept: str) -> None:
    record = decoded({"message": "a", "level": sent})
    assert (record.level, record.level_is_explicit) == (kept, True)


@pytest.mark.parametrize("log", [{"message": "a"}, {"message": "a", "level": None}, {"message": "a", "level": " "}])
def test_no_level_is_info_and_not_sent(log: dict[str, Any]) -> None:
    record = decoded(log)
    assert (record.level, record.level_is_explicit) == ("INFO", False)


@pytest.mark.parametrize(
    ("sent", "kept"), [(None, "unknown"), ("", "unknown"), (" ", "unknown"), ("x" * 200, "x" * 100), (7, "7")]
)
def test_sources(sent: Any, kept: str) -> None:
    assert decoded({"message": "a", "source": sent}).source == kept


@pytest.mark.parametrize(
    "sent",
    [
        1_764_000_000, 1_764_000_000.0, 1_764_000_000_000, 1_764_000_000_000_000, 1_764_000_000_000_000_000,
        "1764000000", "1764000000000", "1764000000.0", "2025-11-24T16:00:00Z", "2025-11-24 16:00:00",
        "2025-11-24T16:00:00.000000000+00:00", "2025-11-24T17:00:00+0100", "2025-11-24t16:00:00z", "20251124T160000Z",
    ],
)  # fmt: skip
def test_timestamps(sent: Any) -> None:
    record = decoded({"message": "a", "timestamp": sent})
    assert record.timestamp == 1_764_000_000_000_000
    assert record.metadata == {}


@pytest.mark.parametrize(
    "sent", [0, -5, 10**19, 10**30, "1970-01-01T00:00:00Z", "1999-12-31", "9999-12-31T23:59:59Z", 2e9]
)
def test_a_time_that_cannot_be_believed_is_kept_beside_the_time_of_receipt(sent: Any) -> None:
    record = decoded({"message": "a", "timestamp": sent})
    assert record.timestamp == NOW
    assert record.metadata == {"timestamp_sent": str(sent) if isinstance(sent, int) and sent >= 2**63 else sent}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ("1e999", "inf"),
        ("1e300", 1e300),
        (
            '{"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}',
            None,
        ),
    ],
)
def test_metadata_values(sent: str, kept: Any) -> None:
    value = decoded('{"message": "a", "metadata": {"k": SENT}}'.replace("SENT", sent)).metadata["k"]
    if kept is None:
        assert "nested too deep" in str(value)
    else:
        assert value == kept


def test_a_key_twice_has_its_last_value() -> None:
    assert decoded('{"message": "a", "message": "b"}').message == "b"
    assert decoded('{"message": "a", "metadata": {"k": 1, "k": 2}}').metadata == {"k": 2}


def test_keys_too_many_and_too_large_are_left_out_and_counted() -> None:
    record = decoded({"message": "a", "metadata": {f"k{n}": n for n in range(70)}})
    assert list(record.metadata) == [*(f"k{n}" for n in range(64)), "_cut"]
    assert record.metadata["_cut"] == "6 keys left out"
    record = decoded({"message": "a", "metadata": {"big": ["v" * 20_000], "small": 1}})
    assert record.metadata == {"small": 1, "_cut": "1 keys left out"}
    record = decoded({"message": "a", "metadata": {"big": "v" * 20_000, "small": 1}})
    assert record.metadata["big"].endswith("… [cut, 20000 characters]")
    assert record.metadata["small"] == 1


def test_unknown_keys_join_the_metadata_which_goes_first() -> None:
    record = decoded({"message": "a", "pid": 7, "user": "x", "metadata": {"user": "y"}})
    assert record.metadata == {"user": "y", "pid": 7}
