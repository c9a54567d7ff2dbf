"""Messages as programs, devices and drivers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator_syslog.message import parse
from log_aggregator_syslog.records import Records
from log_aggregator_syslog.times import timestamp_of

CASES = {
    "5424": (
        b'<165>1 2026-11-30T09:00:00.1Z web-1 app 811 ID47 [ex@1 shop="berlin" note="a\\]b"] \xef\xbb\xbfdisk full',
        ("disk full", "web-1", "app", "811", "ID47", {"shop": "berlin", "note": "a]b"}),
    ),
    "5424 with nothing": (b"<14>1 - - - - - - hello", ("hello", "", "", "", "", {})),
    "5424 without structured data": (
        b"<40>1 2026-11-30T09:00:00Z host app web.1 - State changed",
        ("State changed", "host", "app", "web.1", "", {}),
    ),
    "unescaped bracket": (b'<14>1 - h a - - [x@1 k="v]w"] text', ("text", "h", "a", "", "", {"k": "v]w"})),
    "3164": (b"<13>Nov 30 09:00:00 pi sshd[811]: session opened", ("session opened", "pi", "sshd", "811", "", {})),
    "3164 without host": (b"<30>Nov 30 09:00:00 abc123[42]: started", ("started", "", "abc123", "42", "", {})),
    "3164 with ISO time": (b"<13>2026-11-30T09:00:00.5+01:00 pi cron[1]: run", ("run", "pi", "cron", "1", "", {})),
    "a tag without a colon": (b"<13>Nov 30 09:00:00 pi app[7] text here", ("text here", "pi", "app", "7", "", {})),
    "ident and NUL": (b"<14>shop: cart 7 paid\0", ("cart 7 paid", "", "shop", "", "", {})),
    "no header": (b"<14>hello world", ("hello world", "", "", "", "", {})),
    "a level is no tag": (b"<11>error: disk full", ("error: disk full", "", "", "", "", {})),
    "Cisco": (
        b"<189>Nov 30 09:00:00 10.0.0.1 %LINK-3-UPDOWN: Interface down",
        ("%LINK-3-UPDOWN: Interface down", "10.0.0.1", "", "", "", {}),
    ),
    "no priority": (b"just text", ("just text", "", "", "", "", {})),
    "a priority that is none": (b"<999>text", ("<999>text", "", "", "", "", {})),
    "escaped line ends": (b"<14>app: first#012second", ("first\nsecond", "", "app", "", "", {})),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_parts_of_a_message(name: str) -> None:
    data, expected = CASES[name]
    message = parse(data)
    assert (message.text, message.host, message.program, message.process, message.message_id) == expected[:5]
    assert message.parameters == expected[5]


@given(st.binary(max_size=200))
def test_no_bytes_are_refused(data: bytes) -> None:
    for one in (data, b"<14>" + data, b"<14>1 " + data, b"<14>Nov 30 09:00:00 " + data):
        parse(one)
        Records(None, unescape=True).of([(one, "10.0.0.1")])


NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("Nov 30 09:00:00", "2026-11-30T09:00:00+01:00"),
        ("Nov  3 09:00:00.25", "2026-11-03T09:00:00.250000+01:00"),
        ("Dec 24 09:00:00", "2025-12-24T09:00:00+01:00"),
        ("Jul  1 2025 09:00:00", "2025-07-01T09:00:00+02:00"),
        ("2026-11-30T09:00:00Z", "2026-11-30T09:00:00+00:00"),
        ("2026-11-30T09:00:00,5", "2026-11-30T09:00:00.500000+01:00"),
        ("", None),
        ("Foo 99 00:00:00", None),
    ],
)
def test_a_time_without_year_or_zone_is_the_newest_that_is_not_in_the_future(sent: str, expected: str | None) -> None:
    moment = datetime.fromisoformat(expected) if expected else None
    assert timestamp_of(sent, BERLIN, NOW) == (round(moment.timestamp() * 1e6) if moment else None)


def test_a_clock_that_was_never_set_is_no_time() -> None:
    assert timestamp_of("1970-01-01T00:16:40Z", BERLIN, NOW) == "1970-01-01T00:16:40+00:00"
    (found,) = Records(None, unescape=True).of([(b"<14>1 1970-01-12T13:46:40Z - app - - - booted", "10.0.0.1")])
    assert found.metadata["timestamp_sent"] == "1970-01-12T13:46:40+00:00"


def record(data: bytes):  # type: ignore[no-untyped-def]
    (one,) = Records(BERLIN, unescape=True).of([(data, "10.0.0.1")])
    return one


@pytest.mark.parametrize(
    ("data", "level", "is_explicit"),
    [
        (b"<11>app: text", "ERROR", True),
        (b"<10>app: text", "CRITICAL", True),
        (b"<30>app: text", "INFO", False),
        (b'<14>app: {"message": "text", "level": "error"}', "ERROR", True),
        (b'<11>app: {"message": "text", "level": "info"}', "ERROR", True),
        (b'<30>app: @cee: {"msg": "text", "level": "warn"}', "WARN", True),
        (b"text", "INFO", False),
    ],
)
def test_the_level_is_the_priority_unless_a_driver_puts_it_on_everything(
    data: bytes, level: str, is_explicit: bool
) -> None:
    made = record(data)
    assert (made.message, made.level, made.level_is_explicit) == ("text", level, is_explicit)


def test_the_source_is_the_program_else_the_host_else_the_address() -> None:
    assert record(b"<14>1 - web app - - - text").source == "app"
    assert record(b"<14>1 - web - - - - text").source == "web"
    assert record(b"<14>text").source == "10.0.0.1"


def test_what_else_was_sent_is_metadata() -> None:
    made = record(b'<165>1 2026-11-30T09:00:00Z web app 811 ID47 [ex@1 shop="berlin"][origin ip="1"] text')
    expected = {"host": "web", "procid": "811", "msgid": "ID47", "facility": "local4", "shop": "berlin"}
    assert made.metadata == expected


def test_a_json_message_names_its_program_and_repeats_no_level() -> None:
    head, inner = b"<131>1 2026-11-30T13:56:40Z pi - 1 - - ", b'{"level": 50, "name": "shop", "msg": "lost", "a": 1}'
    (found,) = Records(None, unescape=True).of([(head + inner, "10.0.0.1")])
    assert (found.message, found.level, found.source) == ("lost", "ERROR", "shop")
    assert found.metadata == {"procid": "1", "facility": "local0", "a": 1}
    (other,) = Records(None, unescape=True).of([(head + inner.replace(b"50", b"40"), "10.0.0.1")])
    assert (other.level, other.metadata["level"]) == ("ERROR", 40)
    (plain,) = Records(None, unescape=True).of([(head + b"no JSON", "10.0.0.1")])
    assert plain.source == "pi"
