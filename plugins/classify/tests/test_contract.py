"""The classifying stage keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator_classify import ClassifyPlugin
from log_aggregator_dev import StageContract


class TestClassifyPlugin(StageContract):
    def make_stage(self) -> ClassifyPlugin:
        return ClassifyPlugin(ClassifyPlugin.Config())
