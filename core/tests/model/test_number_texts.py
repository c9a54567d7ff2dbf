"""What counts as a number in a value of metadata."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.number_texts import _NUMBER, _UNITS, MIXED, parse_number, read_numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.05s", (0.05, "s")), ("12ms", (0.012, "s")), ("12 ms", (0.012, "s")), ("7µs", (7e-6, "s")),
        ("2m", (120.0, "s")), ("3 milliseconds", (0.003, "s")),
        ("1 Second", (1.0, "s")), ("2 KB", (2e3, "B")),
        ("1 Hour", (3600.0, "s")), ("3.4 MB", (3.4e6, "B")), ("3MiB", (3 * 1024**2, "B")),
        ("1kB", (1e3, "B")), ("10 bytes", (10.0, "B")), ("99.5%", (99.5, "%")), ("-3", (-3.0, "")),
        ("+1e3", (1000.0, "")), ("007", (7.0, "")), (12, (12.0, "")), (1.5, (1.5, "")), ("5M", None), ("10K", None),
        ("1.2.3.4", None), ("abc", None), ("", None), (True, None), (None, None), ("1" * 16, None), (10**15, None),
        (-(10**15), None), (10**400, None), (math.nan, None), (math.inf, None), ("1e99", None), ("nan", None),
        ("٣", None), ([1], None), ("0x10", None),
    ],
)  # fmt: skip
def test_what_is_a_number(text: object, expected: tuple[float, str] | None) -> None:
    found = parse_number(text)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == pytest.approx(expected[0])
        assert found[1] == expected[1]


@given(
    st.text("0123456789 .e-+\tskB%µ٣", max_size=20)
    | st.builds(
        "{}{}{}".format,
        st.integers(0, 10**17),
        st.sampled_from(["", " ", "  ", "\t"]),
        st.sampled_from([*_UNITS, "\u039cS", "M"]),
    )
)
def test_the_quick_way_finds_what_the_expression_finds(text: str) -> None:
    match = _NUMBER.fullmatch(text)
    plain = None
    if match and match[2] in _UNITS:
        unit, factor = _UNITS[match[2]]
        if abs(float(match[1]) * factor) < 1e15:
            plain = (float(match[1]) * factor, unit)
    assert parse_number(text) == plain


_VALUES = st.one_of(
    st.text("0123456789", max_size=17), st.text("0123456789. msKBé٣-", max_size=8), st.integers(), st.floats(),
    st.booleans(), st.sampled_from(("", "node-1", "0", "-0.0", "17 ms", None)),
)  # fmt: skip


_TIMES = st.integers(1, 3)
_COLUMNS = st.one_of(
    st.dictionaries(_VALUES, _TIMES, min_size=1, max_size=6),
    st.dictionaries(st.floats(-1e9, 1e9).map("{:.3f} ms".format), _TIMES, min_size=17, max_size=30),
    st.dictionaries(st.sampled_from("0123456789 .m+e").flatmap(lambda a: st.text(f"12{a}", max_size=4)), _TIMES,
                    min_size=17, max_size=30),
    st.dictionaries(st.integers(), _TIMES, min_size=1, max_size=30),
)  # fmt: skip


@given(_COLUMNS, st.booleans())
def test_many_values_are_read_as_each_alone(counts: dict[Any, int], once: bool) -> None:
    if once:
        counts = dict.fromkeys(counts, 1)
    kinds = set(map(type, counts))
    each = [(*number, count) for value, count in counts.items() if (number := parse_number(value)) is not None]
    read = read_numbers(counts, kinds.pop() if len(kinds) == 1 else None, once=once)
    if read is None:
        assert not each
    else:
        times = [1] * len(read.numbers) if read.times is None else read.times
        assert list(zip(read.numbers, times, strict=True)) == [(number, count) for number, _, count in each]
        assert read.unit == (each[0][1] if len({unit for _, unit, _ in each}) == 1 else MIXED)
