"""Answers stay small whatever is in them."""

from __future__ import annotations

import json

import pytest

from log_aggregator_mcp.answers import MAX_CHARACTERS, clip, metadata, ratio, render, second, top


@pytest.mark.parametrize("entries", [0, 1, 3, 100, 5000])
def test_a_long_list_is_shortened_from_its_end_and_says_how_much(entries: int) -> None:
    document = {"name": "x", "patterns": [{"n": number, "text": "ä" * 100} for number in range(entries)], "few": [1, 2]}
    text = render(document)
    shown = json.loads(text)
    assert len(text) <= MAX_CHARACTERS.get()
    assert [pattern["n"] for pattern in shown["patterns"]] == list(range(len(shown["patterns"])))
    missing = entries - len(shown["patterns"])
    assert ("left_out" in shown) == (missing > 0)
    assert shown.get("left_out", "0 ").split()[0] == str(missing)
    assert missing == 0 or len(text) > MAX_CHARACTERS.get() * 0.8


def test_an_entry_larger_than_the_bound_is_left_out() -> None:
    assert json.loads(render({"patterns": ["x" * 20_000]}))["patterns"] == []


def test_texts_are_one_line_and_clipped() -> None:
    assert clip("one\n two\t three", 100) == "one two three"
    assert (len(clip("x" * 500, 40)), clip("x" * 500, 40)[-1]) == (40, "…")


def test_dictionaries_are_topped_without_losing_the_sum() -> None:
    counts = {f"s{number}": number for number in range(10)}
    assert top(counts, 2) == {"s9": 9, "s8": 8, "(other)": 28}
    assert top({}, 2) == {}


def test_metadata_shows_the_most_frequent_keys_and_values() -> None:
    values = [{"value": f"v{number} {'x' * 90}", "count": 10 - number} for number in range(9)]
    summary = {f"key{number}": {"count": number, "distinct": 9, "values": values} for number in range(1, 20)}
    summary["ms"] = {"count": 50, "numbers": {"unit": "s", "min": 1, "max": 2, "sum": "9.0", "mean": None}}
    shown = metadata(summary)
    assert list(shown)[:2] == ["ms", "key19"]
    assert len(shown) == 8
    assert shown["ms"]["numbers"] == {"unit": "s", "min": 1, "max": 2}
    assert len(shown["key19"]["values"]) == 5


def test_small_things() -> None:
    assert second("2026-11-23T20:00:00.123456Z") == "2026-11-23T20:00:00Z"
    assert second(None) is None
    assert (ratio(1, 3), ratio(1, 0)) == (0.3333, None)


def test_characters_that_are_not_seen_are_named() -> None:
    hidden = "a\u202eb\u200bc\u2066d\ufeffe" + "".join(chr(0xE0000 + ord(letter)) for letter in "run") + "\ufe0f"
    assert clip(hidden, 200) == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+2066⟩d⟨U+FEFF⟩e⟨U+E0072⟩⟨U+E0075⟩⟨U+E006E⟩⟨U+FE0F⟩"
    document = {hidden: hidden, "patterns": [{"sources": {hidden: 1}}]}
    assert not any(0x2000 < ord(letter) < 0x2070 or ord(letter) > 0xE0000 for letter in render(document))
    assert clip("naïve 漢字 ⟨x⟩", 50) == "naïve 漢字 ⟨x⟩"
