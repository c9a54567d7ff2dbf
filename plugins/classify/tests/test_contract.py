"""The classifying stage keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator.testing import StageContract
from log_aggregator_classify import ClassifyPlugin


class TestClassifyPlugin(StageContract):
    def make_stage(self) -> ClassifyPlugin:
        return ClassifyPlugin(ClassifyPlugin.Config())
