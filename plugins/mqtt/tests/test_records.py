"""Payloads → records."""

from __future__ import annotations

import json

import pytest

from log_aggregator.receivers import MOST_IN_PAYLOAD
from log_aggregator_mqtt.records import records_of


def test_text_has_the_last_part_of_the_topic_as_its_source() -> None:
    (record,), refused = records_of("home/kitchen/stove", b"too hot")
    assert (record.message, record.source, record.metadata, refused) == (
        "too hot",
        "stove",
        {"topic": "home/kitchen/stove"},
        0,
    )


def test_an_object_says_its_fields() -> None:
    (record,), _ = records_of("z2m/log", json.dumps({"level": "error", "message": "no answer", "device": 7}).encode())
    assert (record.message, record.level, record.metadata) == ("no answer", "ERROR", {"device": 7, "topic": "z2m/log"})


def test_a_list_is_a_log_an_entry() -> None:
    records, refused = records_of("t", json.dumps(["one", {"msg": "two"}, ""]).encode())
    assert ([record.message for record in records], refused) == (["one", "two"], 1)


def test_entries_beyond_the_limit_are_counted_as_refused() -> None:
    records, refused = records_of("t", json.dumps(["log"] * (MOST_IN_PAYLOAD + 7)).encode())
    assert (len(records), refused) == (MOST_IN_PAYLOAD, 7)


@pytest.mark.parametrize("payload", [b"[1, 2]", b"[broken", b"\xff\xfe", b"{broken"])
def test_what_is_no_json_is_text(payload: bytes) -> None:
    records, refused = records_of("t", payload)
    assert (len(records), refused) == (1, 0)


def test_an_empty_payload_is_refused() -> None:
    assert records_of("t", b"") == ([], 1)
