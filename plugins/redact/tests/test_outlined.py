"""Texts that have an outline in common get what each gets by itself: no gate is closed that one of them may pass."""

from __future__ import annotations

import random
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator import Record, shape_of
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.letters import KINDS
from log_aggregator.model.outlines import Outlines
from log_aggregator_redact import RedactPlugin, Rule
from log_aggregator_redact.alternation import alternatives
from log_aggregator_redact.automata import compiled
from log_aggregator_redact.config import Config
from log_aggregator_redact.finders import built_in, in_bytes
from log_aggregator_redact.outlined import Outlined, _gates
from log_aggregator_redact.texts import Texts, lowered_shape_of
from log_aggregator_redact.wider import as_bytes, wider

from .planted import plant

GATES = list(_gates(built_in()))
SIGNS = [sign for sign in KINDS if sign != "0"]
LINES = [secret.message for secret in plant(5) if secret.message.isascii()]


def hidden(line: str, draw: random.Random) -> str:
    """An outline of a line: signs stand for some of its characters, here and there and in runs."""
    shape = shape_of(line)
    rate, found, sign = draw.choice((0.1, 0.5, 1.0)), [], ""
    for character in shape:
        if not (sign and character in KINDS[sign] and draw.random() < 0.8):
            kinds = [one for one in SIGNS if character in KINDS[one]]
            sign = draw.choice(kinds) if kinds and draw.random() < rate else ""
        found.append(sign or character)
    return "".join(found)


def test_a_wider_gate_is_open_where_the_gate_of_a_line_is() -> None:
    draw = random.Random(3)
    passed = 0
    gates = [(gate, compiled(gate.expression.encode()).search) for gate in GATES]
    for line in LINES:
        lowered = lowered_shape_of(line)
        opened = [gate for gate, search in gates if search(lowered)]
        for _ in range(4):
            outline = as_bytes(hidden(line, draw))
            passed += len(opened)
            assert [gate.expression for gate in opened if not gate.wide(outline)] == [], line
    assert passed > 400


def test_a_wider_gate_is_closed_where_no_text_of_an_outline_passes() -> None:
    outline = as_bytes(f"session {KINDS and SIGNS[0] * 8} opened for tenant 00")
    assert not in_bytes(wider("password")).search(outline)
    assert len([gate for gate in GATES if gate.wide(outline)]) < len(GATES) / 20


def test_alternatives_are_those_outside_of_groups_and_classes() -> None:
    assert alternatives(r"a|(?:b|c)|[|\]]x|[^]|]|\|d") == ["a", "(?:b|c)", r"[|\]]x", "[^]|]", r"\|d"]
    for rule in built_in():
        assert "|".join(alternatives(rule.expression)) == rule.expression


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 2**32))
def test_texts_of_outlines_hold_a_secret_where_their_shapes_do(seed: int) -> None:
    draw = random.Random(seed)
    own = (Rule(name="order", regex="ORD-7[0-9]{3}", gate=("ord-0000",)),)
    texts, direct = Texts([*built_in()], own, with_cards=True), Texts([*built_in()], own, with_cards=True)
    outlined = Outlined(texts._rules, with_cards=True)
    alike: dict[str, list[str]] = defaultdict(list)
    for line in [secret.message for secret in plant(seed % 97) if secret.message.isascii()] + ["ORD-7123 sent"]:
        alike[hidden(line, draw)] += [line] * draw.choice((1, 5))
    found = outlined.doubtful(list(alike), list(alike.values()), direct.doubtful)
    shapes = {line: shape_of(line) for lines in alike.values() for line in lines}
    expected = {line for line, shape in shapes.items() if direct.doubtful([shape])}
    assert set(found) == expected


IDS = st.sampled_from(
    (
        "0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d", "deadbeef0123", "web-7d4b9c6f5d-x2x9z", "cuvewhu", "a.bell@example.com",
        "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXZhbHVl", "4111111111111111",
        "2001:db8:85a3::8a2e:370:7334", "c3VwZXJzZWNyZXQxMjM0NTY3ODk+", "%70ass%3Dhunter2", "hunter22", '"kelo wer"',
    )
)  # fmt: skip
FRAMES = st.sampled_from(
    (
        "session {} opened",
        "password={}",
        "token {} for {}",
        "login as {} with pass {}",
        "{}",
        "{} key {} of 3",
        "x-{}={}",
    )
)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(FRAMES, IDS, IDS), min_size=1, max_size=40), st.integers(0, 2**32))
def test_batches_with_outlines_become_what_each_record_becomes(lines: list[tuple[str, str, str]], seed: int) -> None:
    draw = random.Random(seed)
    plugin, direct, outlines = RedactPlugin(Config()), RedactPlugin(Config()), Outlines()
    for _ in range(4):
        messages = [_redrawn(frame.format(one, other), draw) for frame, one, other in lines for _ in range(3)]
        records = [Record(message, "INFO", "web", 0, {}) for message in messages]
        batch = WorkingBatch(records)
        batch.use(outlines)
        batch.call("on_ingest", plugin.on_ingest)
        expected = [Record(message, "INFO", "web", 0, {}) for message in messages]
        for record in expected:
            direct.redact_record(record)
        assert [record.message for record in batch.records()] == [record.message for record in expected]


def _redrawn(text: str, draw: random.Random) -> str:
    """The text with some of its letters and digits drawn anew, each of its kind."""
    kinds = ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    kind_of = {character: kind for kind in kinds for character in kind}
    return "".join([draw.choice(kind_of[one]) if one in kind_of and draw.random() < 0.3 else one for one in text])
