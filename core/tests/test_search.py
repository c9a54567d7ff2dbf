"""The syntax of a search: what its terms are, and where it is wrong."""

from __future__ import annotations

import pytest

from log_aggregator.search import SearchError, Term, parse_search


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  two   words ", (Term("text", ("two",)), Term("text", ("words",)))),
        ('"a phrase" -"not this"', (Term("text", ("a phrase",)), Term("text", ("not this",), True))),
        (r'"with \" and \\ and \n"', (Term("text", (r'with " and \ and \n',)),)),
        ("a - b -", (Term("text", ("a",)), Term("text", ("-",)), Term("text", ("b",)), Term("text", ("-",)))),
        ("level:err,Warning", (Term("level", ("ERROR", "WARN")),)),
        ('-Source:"my app",web', (Term("source", ("my app", "web"), True),)),
        ("meta.user.id:7", (Term("meta", ("7",), False, "user.id"),)),
        ("var.ID.2:x,y", (Term("var", ("x", "y"), False, "ID.2"),)),
        ("seen:<2h -seen:>90s", (Term("seen", ("<7200",)), Term("seen", (">90",), True))),
        ("id:0123456789ABCDEF", (Term("id", ("0123456789abcdef",)),)),
        ("http://host:80/x 10:20:30", (Term("text", ("http://host:80/x",)), Term("text", ("10:20:30",)))),
        ('say"no"', (Term("text", ('say"no"',)),)),
    ],
)  # fmt: skip
def test_terms(text: str, terms: tuple[Term, ...]) -> None:
    assert parse_search(text) == terms


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a "b', r"column 3: the quote is not closed"),
        ("x level:", r"column 9: expected a value"),
        ("level: error", r"column 7: expected a value"),
        ("source:a,", r"column 10: expected a value"),
        ("id:12", r"column 4: id: '12'; expected 16 hex digits"),
        ("seen:1h", r"column 6: seen: '1h'; expected < or >"),
        ("seen:<1h,<2h", r"column 10: seen: expected one time"),
        ("meta:eu", r"column 1: meta: expected a key"),
        ("level.x:error", r"column 1: level: takes no key"),
        ("a levle:error", r"column 3: levle: unknown field; did you mean 'level'"),
        ('""', r"column 1: expected a text"),
        ("w " * 51, r"column 101: expected at most 50 terms"),
        ("b " + "a" * 1001, r"column 3: expected at most 1000 characters in a term"),
    ],
)
def test_what_is_wrong_and_where(text: str, problem: str) -> None:
    with pytest.raises(SearchError, match=problem):
        parse_search(text)
