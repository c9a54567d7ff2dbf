"""The doorkeeper keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator_dev import StageContract
from log_aggregator_redact import RedactPlugin


class TestRedactPlugin(StageContract):
    def make_stage(self) -> RedactPlugin:
        return RedactPlugin(RedactPlugin.Config())
