"""What stays in a pattern because it says what happened, and what varies beside it."""

from __future__ import annotations

from itertools import product

import pytest

from .learned import NAMES, learn


def apart(kinds: list[list[str]]) -> list[str]:
    """Learn all lines, taking turns; each kind must be one pattern of its own."""
    lines = [line for turn in zip(*kinds, strict=True) for line in turn]
    found = learn(lines)
    patterns = [set(found[at :: len(kinds)]) for at in range(len(kinds))]
    assert all(len(some) == 1 for some in patterns), patterns
    names = [some.pop() for some in patterns]
    assert len(set(names)) == len(kinds), names
    return names


@pytest.mark.parametrize(
    "words",
    [
        ("debug", "info", "warn", "error", "fatal"),
        ("INFO", "ERROR"),
        ("accepted", "rejected"),
        ("YES", "NO"),
        (
            "ОШИБКА",
            "ПРЕДУПРЕЖДЕНИЕ",
        ),
    ],
)
@pytest.mark.parametrize("form", ["[{}] backup of the large table {{ID}} ran", "backup {{ID}} of the large table: {}"])
def test_words_of_severity_and_outcome_stay(words: tuple[str, ...], form: str) -> None:
    apart([[form.format(word)] * 3 for word in words])


@pytest.mark.parametrize("key", ["code", "res", "exit_code", "lastError", "state"])
def test_what_an_enumerating_key_says_stays(key: str) -> None:
    apart([[f"unit {{ID}} ended, {key}={value} now"] * 3 for value in ("exited", "killed")])


def test_codes_are_an_enumeration_until_they_vary_as_identifiers() -> None:
    apart([[f"helper gave up with code {code} at {{TIME}}"] * 3 for code in (0, 1, 137, 139)])
    assert len(set(learn([f"helper gave up with code {code} at {{TIME}}" for code in range(1000, 1100)]))) == 1


def test_texts_in_quotes_that_are_few_stay_and_names_in_quotes_vary() -> None:
    apart([[f'cache answered "{text}" to {{ID}}'] * 3 for text in ("not found", "gone away", "moved on")])
    assert (
        learn([f'no such column "{name}" in the table' for name in NAMES[:3]])
        == ['no such column "{STR}" in the table'] * 3
    )


def test_names_vary_where_outcomes_stay() -> None:
    names = apart(
        [
            [f"{verb} of {name} {end}" for name in NAMES[:12]]
            for verb, end in product(("login", "logout"), ("succeeded", "failed"))
        ]
    )
    assert "login of {VAR} failed" in names


def test_names_of_every_script_vary() -> None:
    names = [
        "иван",
        "ольга",
        "пётр",
        "анна",
        "олег",
    ]
    form = "пользователь {} вошёл в систему снова"
    assert set(learn([form.format(name) for name in names])) == {form.format("{VAR}")}


def test_lists_of_names_of_any_length_are_one() -> None:
    lines = [f"members of {{ID}}: {', '.join(NAMES[: n % 5 + 1])}" for n in range(8)]
    assert set(learn(lines)) == {"members of {ID}: {LIST}"}
    lines = [f"tags set to [{','.join(NAMES[:n])}]" for n in range(2, 6)]
    assert set(learn(lines)) == {"tags set to [{LIST}]"}


def test_two_words_beside_a_colon_are_no_variable() -> None:
    apart([[f'failure: {thing} "{{ID}}" does not exist'] * 2 for thing in ("relation", "column")])


def test_constants_written_in_capitals_stay_longer() -> None:
    apart(
        [[f"served {verb} for {{PATH}} in {{TIME}}ms"] * 2 for verb in ("GET", "PUT", "POST", "HEAD", "TRACE", "PATCH")]
    )


def test_units_of_one_duration_are_one_pattern() -> None:
    assert set(learn(["sync took {TIME}s", "sync took {TIME}ms", "sync took {TIME}µs"])) == {"sync took {TIME}"}


def test_names_with_one_beginning_vary_sooner() -> None:
    assert set(learn([f"client probe-{name} left" for name in NAMES[:3]])) == {"client {VAR} left"}
    assert len(set(learn([f"client {name} left" for name in NAMES[:3]]))) == 3


def test_names_alone_do_not_swallow_what_they_name() -> None:
    apart([[f"closing org.acme.{thing}@{{HEX}}"] * 2 for thing in ("Pool", "Cache")])


def test_null_and_undefined_are_words_of_a_sentence() -> None:
    apart([[f"cannot read properties of {nothing} at line {{ID}}"] * 2 for nothing in ("null", "undefined")])


def test_the_tables_of_statements_stay() -> None:
    tables = ("users", "orders", "shop.items", "carts")
    apart([[f"SELECT * FROM {table} WHERE owner = {{ID}}"] * 2 for table in tables])


def test_one_quoted_word_beside_one_word_stays_until_it_is_many() -> None:
    apart([[f'worker: "{word}"'] * 2 for word in ("draining", "gone", "stuck", "paused")])
    assert set(learn([f"KeyError: '{name}'" for name in NAMES[:4]])) == {"KeyError: '{STR}'"}


def test_a_key_that_enumerates_needs_more_values() -> None:
    apart([[f"{{HOST}}: Failed with result '{word}'."] * 2 for word in ("exit-code", "oom-kill", "core-dump")])


def test_names_between_letters_of_japanese_are_learned() -> None:
    names = ["田中", "佐藤", "鈴木", "高橋", "伊藤", "山本", "中村", "小林"]
    assert set(learn([f"ユーザー{name}がログインしました" for name in names])) == {"ユーザー{VAR}がログインしました"}
    apart([[f"注文{{ID}}を{word}しました"] * 2 for word in ("処理", "削除", "保存")])
