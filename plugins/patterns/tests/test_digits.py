"""Which expressions tell digits apart, and what they are widened to."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import shape_of
from log_aggregator_patterns.digits import relaxed


@pytest.mark.parametrize(
    "regex", [r"\d+", r"[0-9a-f]+", r"\w[^0-9]\D", r"[^\d]x", r"a(?!\d)b", r"(?<=\d)x", r"[^\W_]", "é.*"]
)
def test_expressions_that_treat_digits_alike(regex: str) -> None:
    assert relaxed(regex) is None


PICKY = [r"0x\w", r"[1-5]\d\d", r"[^7]y", r"(?!0)\dq", r"(?<!1)z", r"a(?:1|b)c", r"[!-5]k", r"v(?:1){2,3}", r"(?=2)\d"]


@pytest.mark.parametrize("regex", PICKY)
@given(line=st.text(st.sampled_from("0123456789abckqvxyz "), max_size=12))
def test_what_finds_nothing_in_a_shape_finds_nothing_in_its_lines(regex: str, line: str) -> None:
    wider = relaxed(regex)
    assert isinstance(wider, re.Pattern)
    if not wider.search(shape_of(line)):
        assert not re.search(regex, line)


@pytest.mark.parametrize("regex", [r"(\d)\1", r"(?>1|2)3", r"1++2"])
def test_what_cannot_be_widened_says_so(regex: str) -> None:
    assert relaxed(regex) is True
