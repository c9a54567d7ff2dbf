"""Details of old rows: packed and read back whole, and told from bytes that somebody else wrote."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator.model.aggregate import merge_all
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import KeySummary, Summary, summarize
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
    assert undrawn(unpack_details(pack_details(one))) == undrawn(one)


def log(place: int, metadata: dict[str, object]) -> Aggregate:
    """What one log becomes."""
    text = msgspec.json.encode(metadata).decode()
    samples = Samples((f"p {place}",), 0, (Detail(3600_000_000 + place, text),))
    variables = summarize([{"ID": str(place)}])
    return Aggregate(
        3600, "p {ID}", "INFO", "web", 1, 3600_000_000 + place, 3600_000_000 + place, metadata=summarize([metadata]),
        samples=samples, variables=variables,
    )  # fmt: skip


VALUES = (
    st.text(max_size=5)
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.lists(st.integers(), max_size=2)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=30), st.integers(1, 3))
def test_logs_that_are_all_samples_are_read_back(logs: list[dict[str, object]], repeated: int) -> None:
    (one,) = merge_all([log(place // repeated, metadata) for place, metadata in enumerate(logs)], 5).values()
    assert undrawn(unpack_details(pack_details(one))) == undrawn(one)


def test_equal_bytes_always_say_the_same() -> None:
    packed = pack_details(log(1, {"user": "u1", "took": "5ms"}))
    assert unpack_details(packed) == unpack_details(packed)
    assert unpack_details(packed).metadata["user"].values.draws.keys() == {"u1"}


def test_a_frequent_value_has_the_highest_draw_nearly_always() -> None:
    """The draws made at reading are as fair as those made of logs: of 500 windows, 90 logs of 100 come first in 450."""
    first = 0
    for place in range(500):
        one = msgspec.structs.replace(
            log(place, {}), bucket=3600 * place, count=100, metadata=summarize([{"a": "x"}] * 90 + [{"a": "y"}] * 10)
        )
        draws = unpack_details(pack_details(one)).metadata["a"].values.draws
        first += draws["x"] > draws["y"]
    assert 420 <= first <= 480


def undrawn(one: Aggregate | None) -> Aggregate | None:
    """Without the draws of values that are all listed: these are made again."""
    if one is None:
        return None
    return msgspec.structs.replace(one, metadata=_undrawn(one.metadata), variables=_undrawn(one.variables))


def _undrawn(summary: Summary) -> Summary:
    return {
        key: entry
        if not entry.values.complete
        else KeySummary.of(entry.count, msgspec.structs.replace(entry.values, draws={}), entry.numbers)
        for key, entry in summary.items()
    }


def test_what_an_earlier_version_packed_is_read() -> None:
    assert unpack_details(base64.b64decode(PACKED)) == BARE


@pytest.mark.parametrize("place", range(4), ids=["empty", "another form", "cut", "no JSON"])
def test_other_bytes_are_nothing(place: int) -> None:
    packed = pack_details(BARE)
    odd = (b"", b"\x03" + packed[1:], packed[: len(packed) // 2], b"\x01hello")
    assert unpack_details(odd[place]) is None


def test_a_bomb_is_not_unpacked() -> None:
    assert unpack_details(pack_details(msgspec.structs.replace(BARE, pattern="x" * 9_000_000))) is None
