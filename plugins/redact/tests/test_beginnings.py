"""Alternatives that are chosen by their first character match as the whole expression does."""

from __future__ import annotations

import random
import re

import pytest

from log_aggregator_redact import values
from log_aggregator_redact.beginnings import Alternatives

EXPRESSIONS = {
    "words": (r"(?:null|none|nil)(?!\w)|[x#]{3,}|\.{3}|\$\{[^}\n]{1,9}\}", re.IGNORECASE),
    "optional": r"a?b|[cd]*e|(?:fg|)h|(?i:J)k|(?=l)[a-z]m",
    "one": r"only\d",
    "nothing": r"|a",
    "looks": r"(?!x)[a-z]1|(?<!a)b2|^c3|\bd4",
    "possessive": r"a*+b|(?>c|d)e",
    "groups": r"(a)|(b)c",
    "prefix": r"abc|abd",
    "nested": r"(?:(?:ab|c|)d|(?:e|f)g|(?i:j|k(?:l|m)))n?|(?:x|y)?z",
}
LETTERS = "abcdefghjklmx0123.#${}N ONLYnulione\n_é\u017f\u212a"


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_matches_is_what_the_whole_expression_matches(name: str) -> None:
    given = EXPRESSIONS[name]
    regex, flags = given if isinstance(given, tuple) else (given, 0)
    alternatives, whole = Alternatives(regex, flags), re.compile(regex, flags)
    draw = random.Random(name)
    for _ in range(1500):
        text = "".join(draw.choices(LETTERS, k=draw.randrange(9)))
        at = draw.randrange(len(text) + 1)
        assert alternatives.match(text, at) == (whole.match(text, at) is not None), (text, at)


WORDS = (
    "null", "None", "x", "xxx", "###", "***", "required", "is", "/etc/", "~/a", "C:\\", "amd64", "1.2.3", "os.environ[",
    "getpass()", "<your key>", "${A}", "$1", "%s", "{{", "[redacted", "?", "hunter2", "Ünlü", "ＮＵＬＬ", "token{",
    "", " ",
)  # fmt: skip


@pytest.mark.parametrize("name", ["_ORDINARY", "_UNQUOTED"])
def test_values_are_judged_as_by_the_whole_expression(name: str) -> None:
    alternatives = getattr(values, name)
    draw = random.Random(name)
    for _ in range(1000):
        text = "".join(draw.choices(WORDS, k=3))
        assert alternatives.match(text, 0) == (alternatives._whole.match(text, 0) is not None), text


def test_nothing_is_compiled_for_a_first_value_once_prepared() -> None:
    values.prepare()
    for alternatives in (values._ORDINARY, values._UNQUOTED):
        assert set(map(chr, range(0x21, 0x7F))) <= alternatives._by_character.keys()
