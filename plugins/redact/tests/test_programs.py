"""What programs, devices and people write: secrets between « and » in `marked.txt` are masked, other lines stay."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from log_aggregator import Record, shapes_of
from log_aggregator_dev import run_stage
from log_aggregator_redact import RedactPlugin
from log_aggregator_redact.config import Config
from log_aggregator_redact.finders import Finder, built_in
from log_aggregator_redact.texts import Texts, lowered_shape_of

HERE = Path(__file__).parent
MARKED = [line.replace("⏎", "\n") for line in (HERE / "marked.txt").read_text("utf-8").splitlines()]
LINES = [re.sub("[«»]", "", line) for line in MARKED]
ORDINARY = (HERE / "ordinary_services.txt").read_text("utf-8").splitlines()


def redacted(messages: list[str]) -> list[str]:
    records = [Record(message, "INFO", "web", 0, {}) for message in messages]
    run_stage(RedactPlugin(Config()), records)
    return [record.message for record in records]


def test_what_stands_between_the_marks_is_masked() -> None:
    assert len(MARKED) >= 300
    texts = redacted(LINES)
    secrets = [re.findall("«(.*?)»", line, re.DOTALL) for line in MARKED]
    missed = [(text, found) for text, found in zip(texts, secrets, strict=True) if any(one in text for one in found)]
    assert missed == []
    assert redacted(texts) == texts


def test_a_batch_finds_what_one_look_finds() -> None:
    config = Config()
    texts = Texts(config.built_in(), config.rules, config.cards, config.off)
    changed = [line for line in LINES if texts.redact(line) != line]
    assert [changed[place] for place in texts.doubtful(shapes_of(changed))] == changed


@pytest.mark.parametrize("rule", built_in(), ids=lambda rule: rule.name)
def test_no_rule_tells_digits_apart_or_lacks_its_gate(rule: Finder) -> None:
    chance = random.Random(7)
    for line in LINES + ORDINARY:
        found = sorted(rule.find(line))
        other = re.sub(r"\d", lambda _: str(chance.randrange(10)), line, flags=re.ASCII)
        assert found == sorted(rule.find(other)), line
        if found:
            assert rule.near is not None
            assert rule.near(lowered_shape_of(line)), line


def test_other_lines_of_services_are_left_alone() -> None:
    assert len(ORDINARY) >= 500
    assert [(line, text) for line, text in zip(ORDINARY, redacted(ORDINARY), strict=True) if line != text] == []
