"""Alternatives that are grouped by their first letter match as before."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator_redact import keywords
from log_aggregator_redact.alternation import by_letter

NAMES = f"{keywords._LATIN}|{keywords._OTHER}"
PIECES = st.sampled_from(
    (
        "session", "ids", "pass", "word", " ", "_", "api", "key", "clé", "d'accès", "recovery", "code", "пароль", "x",
        "=", "clave de ", "sess", "id", "au", "th", "card", "number", "пар", "client-key-data", "geheimer", "schlüssel",
    )
)  # fmt: skip


@given(st.lists(PIECES).map("".join))
def test_names_are_found_where_the_whole_list_finds_them(text: str) -> None:
    grouped, whole = re.compile(keywords.PART), re.compile(f"(?:{NAMES})")
    assert [match.span() for match in grouped.finditer(text)] == [match.span() for match in whole.finditer(text)]


@pytest.mark.parametrize(
    ("given_list", "grouped"),
    [
        ("ab|ac|b", "a(?:b|c)|b(?:)"),
        ("(?:ab|b)c|b", "a(?:bc)|b(?:c|)"),
        ("a?b|ac|[ab]d|(?:x)?y", "a(?:c)|a?b|[ab]d|(?:x)?y"),
        (r"\d|(?:a|b)+", r"\d|(?:a|b)+"),
    ],
)
def test_only_alternatives_that_begin_with_a_letter_are_grouped(given_list: str, grouped: str) -> None:
    assert by_letter(given_list) == grouped
