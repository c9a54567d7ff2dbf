"""A redactor that assigns `record.message` leaks nothing: no shape of the old message is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from log_aggregator import Batch, Record, hookimpl
from log_aggregator_dev import harness
from log_aggregator_patterns import Patterns, PatternsConfig

SECRET = "correcthorsebattery"


def mask(record: Record) -> None:
    record.message = record.message.replace(SECRET, "[gone]")


class Assigns:
    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            mask(record)


class AssignsAfterGrouping:
    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        records = list(batch)
        batch.groups()
        for record in records:
            mask(record)


class AssignsAndAnnotates:
    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for group in batch.groups():
            group.category = "login"
        for record in batch:
            mask(record)


@pytest.mark.parametrize("redactor", [Assigns, AssignsAfterGrouping, AssignsAndAnnotates])
async def test_the_old_message_is_found_nowhere(redactor: Any, tmp_path: Path) -> None:
    given = {"redactor": redactor(), "patterns": Patterns(PatternsConfig())}
    async with harness(given=given, data_dir=tmp_path) as h:
        await h.post(*(f"login with {SECRET} ok {number}" for number in range(3)))
        aggregates = await h.aggregates()
        assert sum(aggregate.count for aggregate in aggregates) == 3
        assert not any(SECRET in str(aggregate) for aggregate in aggregates)
