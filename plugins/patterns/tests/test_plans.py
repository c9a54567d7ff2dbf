"""Lines with ids in them get by their outline exactly the pattern that the rules give, whatever rules there are."""

from __future__ import annotations

import random
import re
import string
import time
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator import Record, shape_of
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.letters import KINDS, coarser, outline_of
from log_aggregator.model.outlines import Outlines
from log_aggregator.model.vocabulary import FAMILIAR, Vocabulary
from log_aggregator_patterns import PatternMemo, Rule, RuleSet, builtin_rules
from log_aggregator_patterns.blindness import Blind, blind, by_beginning
from log_aggregator_patterns.plans import Planner
from log_aggregator_patterns.plugin import Patterns, PatternsConfig

PICKY = (
    Rule(name="dead", regex=r"dead\w*"),
    Rule(name="no-e", regex=r"(?<![\w-])[^\We]{6,12}(?![\w-])"),
    Rule(name="twice", regex=r"([a-f])\1"),
    Rule(name="whole-word", regex=r"\b[a-d]\w+\b"),
    Rule(name="not-before-b", regex=r"=(?!b)\w{2}"),
    Rule(name="behind-c", regex=r"(?<=c)\d+"),
    Rule(name="optional", regex=r"(?:a?b)?(?=\d)\d*c", first=False),
    Rule(name="greedy", regex=r"x(?:[0-8a-e]{2})*[f9]", first=False),
    Rule(name="possessive", regex=r"y[0-9A-Za-z+/]++,", first=False),
    Rule(name="picky-possessive", regex=r"[0-7a-c]++d", first=False),
    Rule(name="cases", regex=r"(?i:BE)[ef]", first=False),
    Rule(name="value", regex=r"id=(?P<value>[a-c]\w+)?"),
    Rule(name="gated", regex=r"\w{3}", gate=("ab0",), first=False),
    Rule(name="ascii", regex=r"(?a)[\w]{7}", first=False),
)
SETS = {
    "builtin": RuleSet(builtin_rules()),
    "picky first": RuleSet([*PICKY, *builtin_rules()]),
    "picky last": RuleSet([*builtin_rules(), *PICKY]),
    **{rule.name: RuleSet([rule]) for rule in PICKY},
}
PLANNERS: dict[str, Planner] = {}

LOWER_HEX = "0123456789abcdef"


def _text(draw: random.Random, alphabet: str, length: int) -> str:
    return "".join(draw.choices(alphabet, k=length))


IDS: tuple[Callable[[random.Random], str], ...] = (
    lambda draw: "-".join(_text(draw, LOWER_HEX, length) for length in (8, 4, 4, 4, 12)),
    lambda draw: _text(draw, LOWER_HEX, draw.choice((6, 7, 8, 12, 32, 40, 41))),
    lambda draw: _text(draw, LOWER_HEX.upper(), draw.choice((8, 12))),
    lambda draw: ":".join(_text(draw, LOWER_HEX, 4) for _ in range(draw.choice((3, 6, 8)))),
    lambda draw: f"{_text(draw, LOWER_HEX, 4)}::{_text(draw, LOWER_HEX, 2)}",
    lambda draw: f"web-{_text(draw, 'bcdfghjklmnpqrstvwxz2456789', 10)}-{_text(draw, 'bcdfx2456789', 5)}",
    lambda draw: _text(draw, string.ascii_letters + string.digits + "+/", 27) + "=",
    lambda draw: _text(draw, string.ascii_letters + string.digits, draw.choice((10, 22))),
    lambda draw: _text(draw, string.ascii_lowercase + string.digits, 12),
    lambda draw: f"{_text(draw, string.ascii_lowercase, 5)}.{_text(draw, 'abc', 3)}1@mail.{_text(draw, 'abc', 4)}.com",
    lambda draw: _text(draw, "abcdef", 5),
    lambda draw: f"{draw.choice('ABC')}{_text(draw, 'abdelnou', 4)}",
    lambda draw: draw.choice(("e2e", "md5", "ed12345", "0x1f", "12:31:07", "17 ms", "404", "deadbeef1", "ab1")),
)
"""Fresh ids of many kinds, at fixed lengths, so that lines of one frame have few outlines."""

PARTS = st.sampled_from(
    (
        " ", " ", " ", "-", "=", ":", "/", ".", '"', "'", "(", ")", "[", "]", "@", "_", "%", "\\", ",", "\x01", "\n",
        "id=", "x", "y", "z", "GET /", "code ", "status=", "user ", " ms", "http://", "C:\\", "0x", " 17 ", "e", "\0",
        "[redacted:token]", "é", "\ua4d0", "日",
    )
)  # fmt: skip
IDS_OF = st.sampled_from(IDS)
FRAMES = st.lists(st.one_of(PARTS, IDS_OF), min_size=1, max_size=9)


def lines_of(frame: list[str | Callable[[random.Random], str]], draw: random.Random) -> list[str]:
    """Some lines of a frame: only the ids differ."""
    return ["".join(part if isinstance(part, str) else part(draw) for part in frame) for _ in range(12)]


def memo_of(name: str) -> PatternMemo:
    """An empty memo whose rules are ready for outlines."""
    memo = PatternMemo(SETS[name])
    planner = PLANNERS.setdefault(name, Planner(SETS[name]))
    while not planner.is_ready:
        planner.prepare()
    memo._planner = planner
    return memo


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=40)
@given(frame=FRAMES, seed=st.integers(0, 10**6))
def test_the_pattern_is_that_of_the_rules(name: str, frame: list[str | Callable[[random.Random], str]], seed: int):
    memo = memo_of(name)
    for line in lines_of(frame, random.Random(seed)):
        shape = shape_of(line)
        memo.expect([shape])
        assert memo.mask(line, shape) == SETS[name].mask(line)


@pytest.mark.parametrize("name", ["builtin", "picky first", "picky last"])
@settings(max_examples=20, deadline=None)
@given(frame=FRAMES, seed=st.integers(0, 10**6))
def test_messages_with_an_outline_in_common_get_each_its_own_pattern(
    name: str, frame: list[str | Callable[[random.Random], str]], seed: int
):
    plugin, outlines, draw = Patterns(PatternsConfig()), Outlines(), random.Random(seed)
    plugin._memo = memo_of(name)
    for _ in range(2):
        lines = [*lines_of(frame, draw), "node 7f3a9c01be is back"]
        batch = WorkingBatch([Record(line, "INFO", "web", 0, {}) for line in lines])
        batch.use(outlines)
        batch.call("normalize", plugin.normalize)
        assert [record.pattern for record in batch.records()] == [SETS[name].mask(line) for line in lines]


SENTENCES = ("session {} opened after 17 ms", "no route to {}, giving up", '"{}" from 10.0.0.1 (code 404)', "{}")


@pytest.mark.parametrize("name", ["builtin", "picky first", "picky last"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_lines_as_programs_write_them(name: str, sentence: str):
    memo, draw = memo_of(name), random.Random(sentence)
    for one in IDS * 12:
        line = sentence.format(one(draw))
        memo.expect([shape_of(line)])
        assert memo.mask(line, shape_of(line)) == SETS[name].mask(line)
    assert memo.planned > 20


def test_fresh_ids_need_no_rules():
    memo, draw = memo_of("builtin"), random.Random(1)
    for one in IDS[:2] * 100:
        line = f"session {one(draw)} opened"
        memo.expect([shape_of(line)])
        memo.mask(line, shape_of(line))
    assert memo.misses < 20


def test_a_shape_that_comes_again_is_remembered():
    memo = memo_of("builtin")
    line = "node 7f3a9c01be is back"
    other = "node 7f3a9c01bf is back"
    for one in (other, line, line):
        memo.expect([shape_of(one)])
        assert memo.mask(one, shape_of(one)) == "node {HEX} is back"
    assert memo.planned == 1
    assert shape_of(line) in memo.young


def test_rules_are_made_ready_little_by_little():
    memo = PatternMemo(RuleSet(builtin_rules()))
    draw = random.Random(2)
    planned = []
    for number in range(60):
        line = f"session {IDS[0](draw)} opened"
        memo.expect([shape_of(line)])
        assert memo.mask(line, shape_of(line)) == "session {UUID} opened"
        planned.append(memo.planned)
        if number == 0:
            assert not memo.planned
    assert planned[-1] > 20


BLIND = cache(blind)
EXPRESSIONS = [
    rule.regex for rule in (*PICKY, *builtin_rules()) if rule.name not in {"twice", "picky-possessive"}
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(st.sampled_from(sorted(KINDS)), st.sampled_from('abefxyz=-_./:@ "GETdP')), min_size=1, max_size=14
)


@settings(max_examples=400)
@given(regex=st.sampled_from(EXPRESSIONS), outline=TEXTS, seed=st.integers(0, 10**6))
def test_an_expression_for_outlines_is_right_for_every_line(regex: str, outline: list[str], seed: int):
    found = BLIND(regex)
    assert found is not None
    draw, text = random.Random(seed), "".join(outline)
    for _ in range(8):
        line = "".join(draw.choice(sorted(KINDS[one])) if one in KINDS else one for one in outline)
        spans = [match.span() for match in re.finditer(regex, line)]
        if not found.told_apart & set(text):
            assert [match.span() for match in found.exact.finditer(text)] == spans
        if not found.wider.search(text):
            assert not spans
        starts = found.starts(text)
        assert starts is None or {start for start, _ in spans} <= set(starts)


@pytest.mark.parametrize("regex", [r"([a-f])\1", r"y[0-9a-f]++z", r"[0-7]++8", r"(?>a|1)b"])
def test_nothing_is_said_of_what_looks_back_or_keeps_no_way_back(regex: str):
    assert blind(regex) is None


BEGINNINGS = [
    r"(?<![\w.])[+-]?(?:\d{1,9}(?:\.\d)?(?:ms|[dhms]) ?){2,6}(?<! )(?!\w)", r"-?P(?=T?\d)(?:\d+[YMWD]){0,4}(?!\w)",
    r"(?:ab|c)?[a-e]x*", r"(?i:E)[ef]+", r"(?:[a-c]y|0)+z", r"(?!b)[^\W0]+",
]  # fmt: skip


@cache
def begun(regex: str) -> Blind:
    found = BLIND(regex)
    assert found is not None
    shorter = by_beginning(found, regex)
    assert shorter is not None
    return shorter


@settings(max_examples=200)
@given(regex=st.sampled_from(BEGINNINGS), outline=TEXTS, seed=st.integers(0, 10**6))
def test_what_matches_begin_with_is_found_wherever_there_is_a_match(regex: str, outline: list[str], seed: int):
    shorter = begun(regex)
    draw, text = random.Random(seed), "".join(outline)
    starts = shorter.starts(text)
    for _ in range(8):
        line = "".join(draw.choice(sorted(KINDS[one])) if one in KINDS else one for one in outline)
        found_at = {match.start() for match in re.finditer(regex, line)}
        assert starts is None or found_at <= set(starts)
        assert shorter.wider.search(text) or not found_at


OF_SHAPES = st.lists(st.text(st.sampled_from("09afgzAFZ@.:-+/= \n\0"), max_size=30), max_size=4)


@given(OF_SHAPES)
def test_outlines_keep_the_length_and_what_signs_stand_for(lines: list[str]):
    vocabulary = Vocabulary()
    shapes = [shape_of(line) for line in lines]
    for found in (vocabulary.outlines(shapes), vocabulary.outlines(shapes)):  # the second time, pieces are known
        for shape, outline in zip(shapes, found, strict=True):
            for wider in (outline, coarser(outline)):
                assert len(wider) == len(shape)
                assert all(one == other or other in KINDS[one] for one, other in zip(wider, shape, strict=True))


@given(OF_SHAPES)
def test_what_gets_a_sign_never_reaches_across_a_blank(lines: list[str]):
    for shape in map(shape_of, lines):
        assert outline_of(shape) == " ".join(map(outline_of, shape.split(" ")))


def test_words_become_familiar():
    vocabulary = Vocabulary()
    for _ in range(FAMILIAR - 1):
        assert vocabulary.outlines(["opened"]) != ["opened"]
    assert vocabulary.outlines(["opened", "carl opened"])[0] == "opened"
    assert vocabulary.outlines(["carl opened"])[0].endswith(" opened")


def test_a_plan_by_an_odd_line_is_made_anew():
    memo = memo_of("gated")  # finds something in lines with `ab0` only
    lines = [f"node ab{number:02}{'c' * 8}f0 is up" for number in range(2)]
    lines += [f"node ff{number:02}{'d' * 7}f00 is up" for number in range(60)]
    draw = random.Random(4)
    lines += [f"node ff{_text(draw, LOWER_HEX, 12)} is up" for _ in range(60)]
    for line in lines:
        memo.expect([shape_of(line)])
        assert memo.mask(line, shape_of(line)) == SETS["gated"].mask(line)
    assert memo.planned > 40


@pytest.mark.serial
@pytest.mark.parametrize("name", ["builtin", "picky last"])
def test_long_runs_of_letters_and_digits_take_no_time(name: str):
    """A wide form whose repeats nothing keeps apart would take minutes for one line: it is not used."""
    draw = random.Random(7)
    memo = memo_of(name)
    lines = [_text(draw, alphabet, length) for alphabet in (LOWER_HEX, string.ascii_letters + string.digits)
             for length in range(16, 240, 16) for _ in range(4)]  # fmt: skip
    direct = spent = 0.0
    for line in lines:
        shape = shape_of(line)
        memo.expect([shape])
        begun = time.thread_time()
        pattern = memo.mask(line, shape)
        spent += time.thread_time() - begun
        begun = time.thread_time()
        assert pattern == SETS[name].mask(line)
        direct += time.thread_time() - begun
    assert spent < 100 * direct
