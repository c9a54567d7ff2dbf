"""How well real lines are grouped, below which it must not fall: of seven systems, with one configuration."""

from __future__ import annotations

import importlib.util
import random
import sys
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from tests.support.beside import GROUPING_SCORER, needs_grouping_scorer

from .grouping_predictor import Predictor

SYSTEMS = ("Android", "Apache", "HPC", "Hadoop", "Proxifier", "Thunderbird", "Windows")

pytestmark = needs_grouping_scorer

Labelled = tuple[list[str], list[str]]


@cache
def evaluation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("eval_grouping", GROUPING_SCORER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["eval_grouping"] = module
    spec.loader.exec_module(module)
    return module


@cache
def labelled() -> dict[str, Labelled]:
    found = {}
    for system in SYSTEMS:
        lines, _, templates = evaluation().load(system, "corrected")
        found[system] = (lines, templates)
    return found


def scored(given: dict[str, Labelled]) -> dict[str, dict[str, float]]:
    found = {}
    for system, (lines, templates) in given.items():
        predictor = Predictor()
        first = [predictor.feed(line)[0] for line in lines]
        found[system] = score([(predictor.canonical(text), predictor.resolve(text)) for text in first], templates)
    return found


def score(predicted: list[Any], templates: list[str]) -> dict[str, float]:
    result: dict[str, float] = evaluation().score(predicted, templates, templates)
    return result


def mean(scores: dict[str, dict[str, float]], figure: str) -> float:
    return sum(score[figure] for score in scores.values()) / len(scores)


@cache
def plain() -> dict[str, dict[str, float]]:
    return scored(labelled())


@pytest.mark.parametrize(("figure", "floor"), [("GA", 0.97), ("FGA", 0.95), ("PA", 0.90)])
def test_the_mean_of_the_systems_stays_above_the_floor(figure: str, floor: float) -> None:
    assert mean(plain(), figure) >= floor


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_system_falls_behind(system: str) -> None:
    assert plain()[system]["GA"] >= 0.92
    assert plain()[system]["FGA"] >= 0.85


def test_other_words_change_nothing() -> None:
    """Nothing is known of these systems: with made-up words for their words the result is the same."""
    disguise = evaluation().disguise(1)
    given = {
        system: ([disguise(line) for line in lines], [disguise(template) for template in templates])
        for system, (lines, templates) in labelled().items()
    }
    scores = scored(given)
    for figure in ("GA", "FGA", "PA"):
        assert mean(scores, figure) >= mean(plain(), figure) - 0.01


def test_another_order_changes_nothing() -> None:
    given = {}
    for system, (lines, templates) in labelled().items():
        order = list(range(len(lines)))
        random.Random(1).shuffle(order)
        given[system] = ([lines[i] for i in order], [templates[i] for i in order])
    scores = scored(given)
    for figure in ("GA", "FGA", "PA"):
        assert mean(scores, figure) >= mean(plain(), figure) - 0.01


def test_systems_do_not_disturb_each_other() -> None:
    """One miner for all: a pattern that two systems share counts as wrong for both."""
    predictor = Predictor()
    first: dict[str, list[str]] = {system: [] for system in SYSTEMS}
    for number in range(max(len(lines) for lines, _ in labelled().values())):
        for system, (lines, _) in labelled().items():
            if number < len(lines):
                first[system].append(predictor.feed(lines[number])[0])
    users: dict[str, set[str]] = {}
    for system, texts in first.items():
        for text in texts:
            users.setdefault(predictor.canonical(text), set()).add(system)
    scores = {}
    for system, texts in first.items():
        ids = [predictor.canonical(text) for text in texts]
        split = [f"{number} {text}" if len(users[text]) > 1 else text for number, text in enumerate(ids)]
        scores[system] = score(list(zip(split, ids, strict=True)), labelled()[system][1])
    assert mean(scores, "GA") >= mean(plain(), "GA") - 0.01
