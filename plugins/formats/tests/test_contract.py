"""The formats stage keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator_dev import StageContract
from log_aggregator_formats import FormatsPlugin


class TestFormatsPlugin(StageContract):
    def make_stage(self) -> FormatsPlugin:
        return FormatsPlugin(FormatsPlugin.Config())
