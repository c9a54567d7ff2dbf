"""GELF messages → records."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.receivers import BadLogError
from log_aggregator_gelf.records import record_of


def sent(**fields: Any) -> bytes:
    return json.dumps({"version": "1.1", "host": "web", "short_message": "disk full", **fields}).encode()


@pytest.mark.parametrize("packed", [lambda data: data, gzip.compress, zlib.compress, lambda data: data + b"\0"])
def test_a_message_may_be_compressed(packed: Any) -> None:
    record = record_of(packed(sent(level=3, timestamp=1796000000.25, _shop="berlin", _id="x")))
    assert (record.message, record.level, record.source) == ("disk full", "ERROR", "web")
    assert (record.metadata, record.level_is_explicit) == ({"shop": "berlin"}, True)


def test_the_full_message_follows_the_short_one_unless_it_begins_with_it() -> None:
    assert record_of(sent(full_message="disk full\n  at a")).message == "disk full\n  at a"
    assert record_of(sent(full_message="  at a")).message == "disk full\n  at a"
    assert record_of(sent(full_message='{\n  "msg": "disk full"\n}')).message == "disk full"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"_stack": "Error: x\n  at f"}, {}),
        ({"_err.stack": "Error: x\n  at f", "_err.name": "Error"}, {"err.name": "Error"}),
        ({"_err": {"stack": "Error: x\n  at f", "name": "Error"}}, {"err": {"name": "Error"}}),
    ],
)
def test_a_stack_beside_the_message_stands_behind_it(fields: dict[str, Any], left: dict[str, Any]) -> None:
    record = record_of(sent(**fields))
    assert (record.message, record.metadata) == ("disk full\nError: x\n  at f", left)


def test_docker_says_the_stream_not_the_level_and_the_container() -> None:
    record = record_of(sent(level=3, _container_name="/shop-1", _container_id="ab12"))
    assert (record.level, record.level_is_explicit, record.source) == ("ERROR", False, "shop-1")
    inner = record_of(sent(level=6, short_message='{"msg": "text", "level": "warn"}', _container_name="/shop-1"))
    assert (inner.message, inner.level, inner.source) == ("text", "WARN", "shop-1")


def test_a_level_may_be_a_word() -> None:
    assert record_of(sent(level="error")).level == "ERROR"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        gzip.compress(b"{}", mtime=0)[:-4],
        gzip.compress(b" " * 9_000_000, mtime=0),
        b'{"version": "1.1"}',
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadLogError):
        record_of(data)


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for one in (data, b"\x1f\x8b" + data, b"\x78\x9c" + data):
        with contextlib.suppress(BadLogError):
            record_of(one)
