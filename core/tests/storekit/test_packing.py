"""Details of old rows: packed and read back whole, and told from bytes that somebody else wrote."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate
from log_aggregator.storekit.packing import pack_details, unpack_details

BARE = Aggregate(3600, "p {ID}", "INFO", "web", 2, 5, 7, samples=Samples(("p 1",), 0, (Detail(5, '{"a":1}'),)))
PACKED = "AUMqnYzN0MulAgVQyUSgvChPTUIOBSP0ssIUrXQwRy8PkGOxFl/5UKBgiL+IMIUUConArGxIrVxcWwsA"
"""`BARE` as the first version packed it: stores hold such bytes."""


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers() | st.booleans()), max_size=20),
    st.text(max_size=30),
)
def test_all_is_read_back(metadata: list[dict[str, object]], text: str) -> None:
    one = msgspec.structs.replace(
        BARE, pattern=text, metadata=summarize(metadata), variables=summarize([{"ID": text}] * 3)
    )
    assert unpack_details(pack_details(one)) == one


def test_what_an_earlier_version_packed_is_read() -> None:
    assert unpack_details(base64.b64decode(PACKED)) == BARE


@pytest.mark.parametrize("place", range(4), ids=["empty", "another form", "cut", "no JSON"])
def test_other_bytes_are_nothing(place: int) -> None:
    packed = pack_details(BARE)
    odd = (b"", b"\x02" + packed[1:], packed[: len(packed) // 2], b"\x01hello")
    assert unpack_details(odd[place]) is None


def test_a_bomb_is_not_unpacked() -> None:
    assert unpack_details(pack_details(msgspec.structs.replace(BARE, pattern="x" * 9_000_000))) is None
