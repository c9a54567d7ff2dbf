"""Records of what receivers read: the same as HTTP makes of the same fields, by the same table for every protocol."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.config.limits import limits_of
from log_aggregator.config.settings import Settings
from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.http.problem import Problem
from log_aggregator.model.fields.construct import configure
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.table import FieldTable

PAST = 1_700_000_000_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def limits() -> Iterator[Limits]:
    small = Limits(message=100, keys=2)
    configure(small)
    yield small
    configure(Limits())


def test_the_limits_before_a_service_starts_are_the_settings_defaults() -> None:
    assert Limits() == limits_of(Settings())


@example(message=0, level="0\x1f", source=None, timestamp=None, metadata=None)
@example(message="0", level=None, source="\n", timestamp=0, metadata=None)
@example(message="0", level="\n", source=None, timestamp=0, metadata=None)
@given(
    message=st.text(max_size=60) | st.integers() | st.booleans(),
    level=st.none() | st.text(max_size=12) | st.integers(-5, 80),
    source=st.none() | st.text(max_size=120),
    timestamp=st.none() | st.just(PAST) | st.just("2023-11-14T22:13:20Z") | st.integers(0, 10),
    metadata=st.none() | st.dictionaries(st.text(max_size=8), JSON, max_size=4),
)
def test_a_record_is_what_http_makes_of_the_same_fields(
    message: Any, level: Any, source: Any, timestamp: Any, metadata: Any
) -> None:
    log = {"message": message, "level": level, "source": source, "timestamp": timestamp, "metadata": metadata}
    try:
        body = msgspec.json.encode(log)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError):
        return
    sent = msgspec.json.decode(body)
    try:
        expected = BodyDecoder(Limits()).one(body, time.time_ns() // 1000)
    except Problem as problem:
        with pytest.raises(BadLogError, match=re.escape(problem.detail)):
            Record.of(**sent)
        return
    assert expected is not None
    found = Record.of(**sent)
    assert abs(found.timestamp - expected.timestamp) < 60_000_000
    found.timestamp = expected.timestamp
    assert msgspec.json.encode(found) == msgspec.json.encode(expected)


def test_bytes_that_are_no_text_are_repaired() -> None:
    record = Record.of(b"caf\xe9 \x00 \x1b[31mred\x1b[0m")
    assert record.message == "caf\ufffd \ufffd red"


def test_what_the_caller_gives_is_not_changed() -> None:
    metadata = {"a": 1}
    Record.of("m", timestamp=5, metadata=metadata)
    log = {"msg": "m", "log": {"level": "warn", "logger": "x"}}
    Record.from_object(log, envelope={"metadata": {"b": 2}})
    assert (metadata, log) == ({"a": 1}, {"msg": "m", "log": {"level": "warn", "logger": "x"}})


def test_the_limits_of_the_service_hold(limits: Limits) -> None:
    record = Record.of("x" * 200, metadata={"a": 1, "b": 2, "c": 3})
    assert len(record.message) == limits.message
    assert record.metadata == {"a": 1, "b": 2, "_cut": "1 keys left out"}
    assert len(Record.from_object({"msg": "x" * 200}).message) == limits.message


@pytest.mark.parametrize(
    ("log", "message", "level", "source", "metadata"),
    [
        ({"msg": "m", "level": 40, "name": "api", "pid": 7}, "m", "WARN", "api", {"pid": 7}),  # pino
        ({"message": "m", "log.level": "error", "service.name": "s"}, "m", "ERROR", "s", {}),  # ECS, flat
        (
            {"message": "m", "log": {"level": "error", "origin": "o"}, "service": {"name": "s"}},
            "m",
            "ERROR",
            "s",
            {"log": {"origin": "o"}},
        ),
        ({"log": "m\n", "source": "stderr", "app": "web"}, "m", "INFO", "web", {"source": "stderr"}),  # Docker
        ({"message": "m", "levelname": "WARNING", "levelno": 30}, "m", "WARN", "unknown", {"levelno": 30}),
        ({"message": {"no": "text"}, "msg": "m"}, "m", "INFO", "unknown", {"message": {"no": "text"}}),
        ({"msg": "m", "level": ["no level"]}, "m", "INFO", "unknown", {"level": ["no level"]}),
        ({"msg": "m", "status": 503}, "m", "INFO", "unknown", {"status": 503}),
        ({"msg": "m", "metadata": {"shop": 1}, "more": 2}, "m", "INFO", "unknown", {"shop": 1, "more": 2}),
    ],
)
def test_fields_are_found_by_the_table(log: Any, message: str, level: str, source: str, metadata: Any) -> None:
    record = Record.from_object(log)
    assert (record.message, record.level, record.source, record.metadata) == (message, level, source, metadata)
    assert record.level_is_explicit == (level != "INFO")


@pytest.mark.parametrize("name", FieldTable().timestamp)
def test_times_are_found_by_the_table(name: str) -> None:
    record = Record.from_object({"msg": "m", name: "2023-11-14T22:13:20Z"})
    assert (record.timestamp, record.metadata) == (PAST, {})


def test_a_time_that_cannot_be_read_stays_and_the_next_is_taken() -> None:
    record = Record.from_object({"msg": "m", "time": "noon", "ts": PAST})
    assert (record.timestamp, record.metadata) == (PAST, {"time": "noon"})


def test_a_time_that_cannot_be_believed_is_kept_beside_the_time_of_receipt() -> None:
    record = Record.from_object({"msg": "m", "ts": 12})
    assert record.metadata == {"timestamp_sent": 12}
    assert abs(record.timestamp - time.time_ns() // 1000) < 60_000_000


def test_the_envelope_wins_over_the_object_and_that_over_the_defaults() -> None:
    log = {"msg": "m", "level": "warn", "source": "body"}
    defaults: Any = {"level": "error", "source": "tag", "timestamp": PAST, "metadata": {"x": 0, "y": 0}}
    plain = Record.from_object(log | {"x": 1}, defaults=defaults)
    assert (plain.level, plain.source, plain.timestamp, plain.metadata) == ("WARN", "body", PAST, {"x": 1, "y": 0})
    record = Record.from_object(log, envelope={"level": "fatal", "source": "unit"}, defaults=defaults)
    assert (record.level, record.source, record.level_is_explicit) == ("FATAL", "unit", True)
    assert record.metadata == {"level": "warn", "source": "body", "x": 0, "y": 0}, "what was not taken is kept"


def test_a_level_of_the_defaults_is_not_explicit() -> None:
    record = Record.from_object({"msg": "m"}, defaults={"level": 3})
    assert (record.level, record.level_is_explicit) == ("ERROR", False)


def test_an_object_without_a_message_takes_the_default_or_is_refused() -> None:
    assert Record.from_object({"level": "warn"}, defaults={"message": '{"level":"warn"}'}).level == "WARN"
    with pytest.raises(BadLogError, match="message: missing, expected a text"):
        Record.from_object({"level": "warn"})


def test_own_names_come_before_those_of_the_table() -> None:
    configure(Limits(), FieldTable().with_names({"level": ("prio",)}))
    try:
        record = Record.from_object({"msg": "m", "prio": "fatal", "level": "info"})
    finally:
        configure(Limits())
    assert (record.level, record.metadata) == ("FATAL", {"level": "info"})
    with pytest.raises(ValueError, match="colour"):
        FieldTable().with_names({"colour": ("red",)})


@given(log=st.dictionaries(st.sampled_from(["msg", "level", "source", "time", "log", "a.b", "metadata", "x"]), JSON))
def test_whatever_an_object_holds_becomes_a_record_or_is_named(log: dict[str, Any]) -> None:
    try:
        record = Record.from_object(log)
    except BadLogError:
        return
    msgspec.json.encode(record)
    assert len(record.message) <= Limits().message


NAMES = ("message", "msg", "log", "level", "log.level", "service", "service.name", "@timestamp", "time", "error", "a")
FLAT = st.sampled_from(
    ["info", "shop", "2026-09-21T14:13:20Z", "two\nlines", "", 30, 3.5, True, None, 2**70, [1], "\x00"]
)
NESTED = st.dictionaries(st.sampled_from(("level", "name", "logger", "message", "stack", "a")), FLAT, max_size=2)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), FLAT | NESTED, max_size=6)
ENVELOPES = st.sampled_from([None, {"timestamp": PAST * 1000}, {"timestamp": 5}, {"level": "warn"}])
DEFAULTS = st.sampled_from([None, {"source": "s", "timestamp": PAST}, {"metadata": {"b": 1}, "level": "error"}])


def made(log: dict[str, Any], envelope: Any, defaults: Any) -> tuple[Any, ...] | str:
    try:
        record = Record.from_object(log, envelope=envelope, defaults=defaults)
    except BadLogError as error:
        return str(error)
    has_time = abs(record.timestamp - time.time_ns() // 1000) > 10**9
    shape = [record.level, record.source, record.timestamp if has_time else 0, record.level_is_explicit]
    return (record.message, *shape, list(record.metadata.items()))


@given(logs=st.lists(OBJECTS, min_size=1, max_size=4), envelope=ENVELOPES, defaults=DEFAULTS)
@example(
    logs=[{"message": "m", "log": {"level": "info"}, "service": {"name": "shop"}}] * 3, envelope=None, defaults=None
)
@example(logs=[{"message": "m", "log": {"level": "info"}}, {"message": "m", "log": "x"}], envelope=None, defaults=None)
def test_objects_are_the_same_whether_their_kind_came_before_or_not(
    logs: list[dict[str, Any]], envelope: Any, defaults: Any
) -> None:
    configure(Limits())
    remembered = [made(log, envelope, defaults) for log in [*logs, *logs]][len(logs) :]
    alone = []
    for log in logs:
        configure(Limits())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Lifter, "quick", lambda *_: None)
            alone.append(made(log, envelope, defaults))
    assert remembered == alone


def test_a_kind_that_came_before_is_read_the_quick_way() -> None:
    configure(Limits())
    lifter = Lifter(FieldTable())
    log = {"message": "m", "log": {"level": "info"}, "service": {"name": "shop"}, "a": 1}
    assert lifter.quick(log, PAST) is None
    lifter.lift(dict(log), PAST)
    assert lifter.quick(log, PAST) == ("m", "INFO", "shop", None, {"a": 1})
    assert lifter.quick({**log, "service": {"name": "shop", "more": 1}}, PAST) is None
    assert log["service"] == {"name": "shop"}
