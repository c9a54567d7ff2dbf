"""Two instances that learned in different orders agree in the end."""

from __future__ import annotations

import csv
import random

import pytest

from log_aggregator import shape_of
from log_aggregator_patterns import PatternMemo, RuleSet, builtin_rules
from tests.support.beside import REAL_LINES, needs_real_lines

from .learned import NAMES, Learner


def final_of(lines: list[str], seed: int) -> dict[str, str]:
    order = list(lines)
    random.Random(seed).shuffle(order)
    learner = Learner()
    first = dict(zip(order, learner.first_sight(order), strict=True))
    return {line: learner.final(text) for line, text in first.items()}


def differing(lines: list[str], orders: int) -> set[str]:
    """The lines that some order puts elsewhere than the first order does."""
    one = final_of(lines, 0)
    found = set()
    for seed in range(1, orders):
        other = final_of(lines, seed)
        found |= {line for line in lines if one[line] != other[line]}
    return found


def made_up(seed: int) -> list[str]:
    """Messages of a system that does not exist, each with one or two words that vary."""
    chance = random.Random(seed)
    words = ["".join(chance.choice("aeioubdfgklmnprst") for _ in range(chance.randint(3, 8))) for _ in range(300)]
    lines = set()
    for _ in range(30):
        frame = [chance.choice([*words, *words, "{ID}", "at=now", "(on)"]) for _ in range(chance.randint(3, 9))]
        places = chance.sample(range(len(frame)), 1 if len(frame) < 7 else 2)
        for _ in range(chance.choice([1, 1, 2, 14, 25])):
            for place in places:
                frame[place] = chance.choice([*NAMES, *words[:30], "{ID}"])
            lines.add(" ".join(frame))
    return sorted(lines)


@pytest.mark.parametrize("seed", range(5))
def test_made_up_systems_converge(seed: int) -> None:
    lines = made_up(seed)
    assert len(differing(lines, 6)) <= len(lines) // 100


@needs_real_lines
@pytest.mark.parametrize("system", sorted(path.name for path in REAL_LINES.glob("*")))
def test_real_systems_converge(system: str) -> None:
    memo = PatternMemo(RuleSet(builtin_rules()))
    lines = set()
    for path in (REAL_LINES / system).glob("*.csv"):
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            lines |= {memo.mask(row["Content"], shape_of(row["Content"])) for row in csv.DictReader(file)}
    assert differing(sorted(lines), 6) == set()


@pytest.mark.parametrize("seed", range(6))
def test_a_pattern_of_many_lines_is_never_one_of_them(seed: int) -> None:
    """Names with and without parts of their own end up in one pattern, through lines cut in three ways."""
    stems = [f"{one}{two}" for one in ("lib", "fox", "gra", "ten") for two in ("ab", "cor", "dim", "elo", "fy", "gun")]
    kinds = ("", "1", "-1:amd64", ":amd64", "-dev:amd64", "2-x", "3")
    rules = RuleSet(builtin_rules())
    lines = [rules.mask(f"Picking a package not picked before {stem}{kind}.") for stem in stems for kind in kinds]
    of_pattern: dict[str, set[str]] = {}
    for line, pattern in final_of(lines, seed).items():
        of_pattern.setdefault(pattern, set()).add(line)
    for pattern, its_lines in of_pattern.items():
        assert len(its_lines) == 1 or pattern not in its_lines
