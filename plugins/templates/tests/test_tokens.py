"""How masked lines are cut, and what variable parts show."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from log_aggregator_templates.outline import outline
from log_aggregator_templates.tokens import VARIABLE, cut
from log_aggregator_templates.widening import widen

MASKED = st.lists(
    st.sampled_from(
        ["a", "user", "{ID}", "{IP}", "{VAR}", "=", "==", ":", ",", " ", "  ", "(", ")", "[", "]", "{", "}", "true"]
    )
    | st.text(max_size=3)
).map("".join)


@pytest.mark.parametrize(
    ("masked", "words"),
    [
        ("user bob left", ["user", "bob", "left"]),
        ("user={ID} name=bob,on=true", ["user", "*", "name", "*", "on", "*"]),
        ("user= host=web", ["user", "*", "host", "*"]),
        ("user=", ["user", "*"]),
        ("a == b, a=>b, a<=b", ["a", "b", "a", "b", "a", "b"]),
        ("at [main] (idle)", ["at", "main", "idle"]),
        ("ids {ID} {ID}, {ID} end", ["ids", "*", "end"]),
        ("from {IP}:{ID} - {HOST} on", ["from", "*", "on"]),
        ("set to null, then value=null", ["set", "to", "null", "then", "value", "*"]),
        ("undefined is not a function", ["undefined", "is", "not", "a", "function"]),
        ('{"retry":true,"at":null}', ["retry", "*", "at", "*"]),
        ("code=exited level=warn mode=fast", ["code", "exited", "level", "warn", "mode", "*"]),
        ('query="{app=\\"x y\\"}" took {TIME}', ["query", "*", "took", "*"]),
        ('said "no route to host" twice', ["said", "no route to host", "twice"]),
        ('said "lost {ID} packets of {ID}" twice', ["said", "lost {ID} packets of {ID}", "twice"]),
        ("it's the user's", ["it", "s", "the", "user", "s"]),
        ("name = 'O''Hara' where", ["name", "*", "where"]),
        ("members: ann, bob", ["members", "ann, bob"]),
        ('tags ["a","b"] set', ["tags", '"a","b"', "set"]),
        ("with password=[redacted:password] now", ["with", "password", "[redacted:password]", "now"]),
        (
            "用户{ID}登录，来自{IP}",
            ["用户", "*", "登录", "来自", "*"],
        ),
        ("x" * 200 + " end", ["*", "end"]),
        ("ws=Work{{ID}}", ["ws", "Work", "*"]),
        ("box=Rect({ID})", ["box", "Rect", "*"]),
        ("from {IP} () at {TIME}", ["from", "*", "*", "at", "*"]),
        ("call() ended", ["call", "ended"]),
        ("", []),
        ("= :", []),
    ],
)
def test_a_line_is_cut_into_words_and_variable_parts(masked: str, words: list[str]) -> None:
    assert [word if word != VARIABLE else "*" for word in cut(masked).words] == words


@example(":''")
@given(MASKED)
def test_the_parts_put_together_are_the_line(masked: str) -> None:
    line = cut(masked)
    assert len(line.separators) - 1 == len(line.words) == len(line.texts)
    again = "".join(a + b for a, b in zip(line.separators, [*line.texts, ""], strict=True))
    learned = any(again.count(name) != masked.count(name) for name in ("{VAR}", "{STR}"))
    if "=" not in masked and not learned:
        assert again.split() == masked.split()
    assert cut(again).words == line.words


TEXTS = st.sampled_from(
    ["", "bob", "{ID}", "{NUM}", "{IP}", "{VAR}", "{ID} {ID}", "{ID}:{NUM}", "x-{ID}", "{TIME}s", "{LIST}", "{STR}"]
)


@given(TEXTS, TEXTS, TEXTS)
def test_widening_does_not_depend_on_the_order(a: str, b: str, c: str) -> None:
    assert widen(a, b) == widen(b, a)
    assert widen(widen(a, b), c) == widen(a, widen(b, c))
    assert widen(widen(a, b), b) == widen(a, b)


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (("{ID}", "{NUM}"), "{NUM}"),
        (("{ID}", "{ID} {ID}"), "{ID}"),
        (("{IP}", "{HOST}"), "{VAR}"),
        (("bob", "{ID}"), "{VAR}"),
        (("{TIME}s", "{TIME}ms"), "{TIME}"),
        (("{LIST}", "{VAR}"), "{LIST}"),
    ],
)
def test_a_wider_part_keeps_its_kind_where_it_has_one(texts: tuple[str, str], shown: str) -> None:
    assert widen(*texts) == shown


def test_a_word_of_several_lines_is_one_object() -> None:
    """Thousands of templates keep their words: equal texts of their own would take most of the memory."""
    line, other = cut("session opened for {ID}"), cut("closed by {ID}: session")
    assert line.words[0] is other.words[-1] is line.texts[0] is outline("no session here").key[1]
