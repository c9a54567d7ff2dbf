"""The learning stage keeps the contract of a stage."""

from __future__ import annotations

from log_aggregator_dev import StageContract
from log_aggregator_templates import Templates


class TestTemplates(StageContract):
    batch_independent = False  # it learns from every record it sees

    def make_stage(self) -> Templates:
        return Templates(Templates.Config())
