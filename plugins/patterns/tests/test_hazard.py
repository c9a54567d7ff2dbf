"""Rules that could hang the service are refused; what is accepted is quick."""

from __future__ import annotations

import pytest

from log_aggregator_patterns import danger


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        (r"(a+)+b", "a repeat inside a repeat"),
        (r"(\w+\s?)*x", "a repeat inside a repeat"),
        (r"(?:[a-z]*,?)*;", "a repeat inside a repeat"),
        (r"(a|a)*b", "took"),
        (r"(?:a|a?b|a)*c", "took"),
        (r"\s*\s*\s*z", "took"),
        (r"\w+@\w+", "took"),
        (r".*,.*,.*;", "took"),
        (r"(\w)\1+z", "took"),
        (r"(?=(x+x+)+y)x", "a repeat inside a repeat"),
    ],
)
def test_a_rule_that_can_blow_up_is_refused_with_the_reason(regex: str, reason: str) -> None:
    found = danger(regex)
    assert found is not None
    assert reason in found
    assert "expected" in found


@pytest.mark.parametrize(
    "regex",
    [
        r"ORD-\d{8}",
        r"[1-5]\d\d",
        r"(?<!\w)\w{1,64}@\w{1,64}",
        r"(?:/[\w.]{1,64}){1,64}",
        r"\bfoo\b|bar",
        r"x++y",
        r"(?i)err(or)?",
    ],
)
def test_a_harmless_rule_is_accepted(regex: str) -> None:
    assert danger(regex) is None
