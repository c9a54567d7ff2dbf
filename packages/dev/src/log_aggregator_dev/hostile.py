"""Texts and numbers that break careless plugins: what real logs hold sooner or later."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.record import Record
from log_aggregator_dev.factories import NOW, make_aggregate, make_record

TEXTS = (
    "nul \x00 inside",
    "control \x01\x07\x1b[31mred\x7f\x85",
    "line\nfeed\r\nand\ttab",
    "quotes ' \" ` $1 %s {0} {} {unclosed",
    "'; DROP TABLE aggregated_logs; --",
    "back\\slash \\u0000 \\x00 \\N",
    "<script>alert(1)</script>&amp;",
    "right to left \u202e\u200f\ufeff",
    "astral \U0001f525 \U0010ffff, combining e\u0301, noncharacter \ufffe",
    "\ufffd replacement",
    "nul \ufffd inside",
    "long " + "x" * 20_000,
    "many words " + "word " * 3_000,
    "digits " + "1" * 5_000,
    "nested " + "(" * 2_000 + "[" * 2_000,
    "dots " + "1." * 3_000 + " slashes " + "/a" * 3_000,
    "spaces" + " " * 5_000 + "end",
    "colons " + "a:" * 3_000 + " equals " + "a=b," * 2_000,
    " ",
    "",
)
"""Two of them become the same text where NUL is replaced by U+FFFD, as databases make it necessary."""

METADATA: dict[str, object] = {
    "": "empty key",
    "nul\x00key": "nul\x00value",
    "big": 2**63,
    "small": -(2**70) * 1.0,
    "nested": {"list": [1, None, {"deep": True}]},
    "text": "x" * 5_000,
    "number": "12.5ms",
}


def hostile_records() -> Iterator[Record]:
    """Records whose message, source and metadata hold hostile values."""
    for text in TEXTS:
        yield make_record(text or "(empty)", source=text[:100] or "app", metadata=dict(METADATA))


def hostile_aggregates() -> Iterator[Aggregate]:
    """Aggregates with distinct keys that hold hostile values, in each field that holds a text or a number."""
    for number, text in enumerate(TEXTS):
        yield make_aggregate(text, number + 1, metadata=[dict(METADATA), {text[:50]: text}])
        yield make_aggregate(f"source {number}", 1, source=text[:100] or "app", tags={text: 1}, categories={text: 1})
    yield make_aggregate("a level that nobody knows", 1, level="EMERGENCY-OF-THE-HIGHEST-KIND")
    yield make_aggregate("a group", 1, group='{"tenant":"\\u0000"}')
    yield make_aggregate("beyond 32 bits", 2**40)
    yield make_aggregate("long ago", 1, bucket=0, first_seen=0, last_seen=1)
    yield make_aggregate("far away", 1, bucket=NOW // 1_000_000 * 4, first_seen=NOW * 4, last_seen=NOW * 4)
