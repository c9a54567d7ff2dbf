"""A stage whose calls take long is named in `/health`, from a documented threshold on."""

from __future__ import annotations

import re
from pathlib import Path

from log_aggregator.plugins.isolation import CircuitBreaker
from log_aggregator.plugins.isolation.circuit_breaker import SLOW_CALLS, SLOW_MEAN

PAGE = Path(__file__).parents[4] / "docs/reference/hooks.md"


def breaker(seconds: float, calls: int = SLOW_CALLS) -> CircuitBreaker:
    made = CircuitBreaker("mine")
    for _ in range(calls):
        made.succeeded(seconds)
    return made


def test_a_stage_of_50_ms_a_batch_is_named() -> None:
    assert re.match(r"slow: 50 ms a call on average of the last minute; expected at most 20 ms; ", breaker(0.05).remark)
    assert breaker(0.05).complaint == ""


def test_a_quick_stage_and_a_few_slow_calls_are_not() -> None:
    assert breaker(SLOW_MEAN / 2).remark == ""
    assert breaker(0.05, SLOW_CALLS - 1).remark == ""


def test_the_threshold_is_documented() -> None:
    assert f"{1000 * SLOW_MEAN:.0f} ms on average of the last minute" in PAGE.read_text()
