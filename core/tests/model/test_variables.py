"""What the placeholders of a pattern stand for in a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.variables import MAX_VARIABLES, variable_names, variables_of

LITERALS = st.text("ab :=", min_size=1, max_size=3)
VALUES = st.text("xyz019", min_size=1, max_size=4)


@given(st.lists(st.tuples(LITERALS, st.sampled_from(["ID", "IP", "VAR"]), VALUES), max_size=20), LITERALS)
def test_values_are_those_that_were_put_in(parts: list[tuple[str, str, str]], end: str) -> None:
    pattern = "".join(f"{literal}{{{name}}}" for literal, name, _ in parts) + end
    message = "".join(f"{literal}{value}" for literal, _, value in parts) + end
    found = variables_of(pattern, message)
    assert tuple(found) == variable_names(pattern)
    assert list(found.values()) == [value for _, _, value in parts][:MAX_VARIABLES]


@pytest.mark.parametrize(
    ("pattern", "message", "values"),
    [
        ("no variable", "no variable", {}),
        ("{VAR}", "whatever it is", {"VAR": "whatever it is"}),
        ("{VAR}: {STR}", "a: b: c", {"VAR": "a", "STR": "b: c"}),
        ("at {TIME}{UNIT} end", "at 5ms end", {"TIME": "5ms"}),
        ("user {ID} in", "user  in", {}),
        ("user {ID} in", "user 1 out", {}),
        ("user {ID} in", "", {}),
        ("a {lower} {} b", "a {lower} {} b", {}),
    ],
)
def test_a_message_fits_or_has_no_values(pattern: str, message: str, values: dict[str, str]) -> None:
    assert variables_of(pattern, message) == values
