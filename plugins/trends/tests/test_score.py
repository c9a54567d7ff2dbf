"""Lower bounds for the published scores on a small sample of the evaluation; a change below them is a regression."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from log_aggregator_trends.detector import Detector
from tests.support.beside import ABSENT, ANOMALY_SCORER

SERIES = 4


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    pytest.importorskip("numpy", reason="the evaluation needs numpy")
    if not ANOMALY_SCORER.is_file():
        pytest.skip(ABSENT)
    spec = importlib.util.spec_from_file_location("synth_eval", ANOMALY_SCORER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def outcome(scorer: ModuleType) -> list[Any]:
    out, _ = scorer.run(Detector, 4711, scorer.KINDS, SERIES)
    return list(out)


def test_recorded_tier(scorer: ModuleType, outcome: list[Any]) -> None:
    result = scorer.report(outcome, Detector.threshold)
    assert result["fa_per_1000"] <= 20  # 560 series-days: 10 would be 5.6 episodes
    assert result["cold_d0"] <= 150
    assert result["cold_d1_7"] <= 30
    assert result["x10"]["recall"] >= 0.93
    assert result["x10"]["median"] <= 2
    assert result["x5"]["recall"] >= 0.85
    assert result["x5"]["median"] <= 5
    assert result["x2"]["recall"] >= 0.55
    assert result["silence"]["recall"] >= 0.88
    assert result["silence"]["median"] <= 8
    assert result["shift3"]["recall"] >= 0.9
    assert result["shift_storm"] <= 1.3


def test_notify_tier(scorer: ModuleType, outcome: list[Any]) -> None:
    result = scorer.report(outcome, Detector.notify_threshold)
    assert result["fa_per_1000"] <= 4
    assert result["x10"]["recall"] >= 0.9
    assert result["silence"]["recall"] >= 0.88


def test_state(outcome: list[Any]) -> None:
    assert max(max(series["bytes"]) for series in outcome) <= 4096
