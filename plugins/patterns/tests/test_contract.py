"""The masking stage keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator_dev import StageContract
from log_aggregator_patterns import Patterns


class TestPatterns(StageContract):
    def make_stage(self) -> Patterns:
        return Patterns(Patterns.Config())
