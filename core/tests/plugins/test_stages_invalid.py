"""Stages that leave invalid fields: the batch goes on, no log is lost, and the plugin is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from core.tests.made import PlainRegistry, Store, make_plugin
from core.tests.model.test_batch import Apart, Together
from log_aggregator import Batch, Record
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import InvalidRecordError, PreAggregator

Make = Callable[..., Record]

INVALID = [
    ("tags", ["a", "list"]), ("tags", (1,)), ("pattern", None), ("pattern", 5), ("pattern", ["x"]), ("category", b"x"),
    ("level", None), ("source", {}), ("metadata", [1, 2]), ("metadata", {1: "a"}), ("timestamp", "now"),
    ("message", None), ("message", 5), ("pattern", "\ud800"),
]  # fmt: skip


def invalidating(hook: str, field: str, value: Any, *, by_group: bool) -> Any:
    def implementation(self: Any, batch: Batch) -> None:
        for one in batch.groups() if by_group else batch:
            setattr(one, field, value)

    return type("Invalidating", (), {hook: implementation})()


FORMS = [(False, field, value) for field, value in INVALID] + [
    (True, field, value) for field, value in INVALID if field not in {"timestamp", "message", "metadata"}
]
"""By record, and by group where a group has such a field."""


@pytest.mark.parametrize(("by_group", "field", "value"), FORMS, ids=str)
@pytest.mark.parametrize("hook", ["on_ingest", "normalize", "enrich"])
@pytest.mark.parametrize("after", [Apart, Together, None])
@pytest.mark.parametrize("inspected", [1, 10**9])
def test_what_is_invalid_is_repaired_and_costs_no_log(
    record: Make, monkeypatch: pytest.MonkeyPatch, field: str, value: Any, hook: str, by_group: bool,
    after: type | None, inspected: int,
) -> None:  # fmt: skip
    """Whether the call is inspected or not, and whatever comes after it."""
    monkeypatch.setattr("log_aggregator.plugins.isolation.inspector.INSPECTED", inspected)
    invalid = make_plugin(invalidating(hook, field, value, by_group=by_group), "invalid")
    stages = Stages(PlainRegistry(invalid, *([make_plugin(after(), "after")] if after else [])))  # type: ignore[arg-type]
    stages.circuits["invalid"].calls = 1  # the first call of a plugin is inspected in any case
    batch, _ = stages.guard(WorkingBatch([record("a 1"), record("a 2"), record("b 1")]))
    stages.process(batch)
    sorter = PreAggregator(5)
    try:
        partials = sorter.sort(batch)
    except InvalidRecordError:
        stages.inspector.repair(batch)
        partials = sorter.sort(batch)
    assert sum(one.logs for one in partials) == 3
    if inspected == 1:
        assert f"left records with an invalid {field}" in stages.circuits["invalid"].last_error


@pytest.mark.parametrize("wrong", [[{"k": 1}] * 3, 5])
def test_metadata_that_does_not_fit_the_records_costs_none(record: Make, wrong: Any) -> None:
    class Misfits:
        def enrich(self, batch: Batch) -> None:
            for group in batch.groups():
                group.metadata = wrong

    stages = Stages(PlainRegistry(make_plugin(Misfits(), "misfits")))  # type: ignore[arg-type]
    batch = WorkingBatch([record("a 1", metadata={"k": 1}), record("a 2")])
    stages.process(batch)
    assert sum(one.logs for one in PreAggregator(5).sort(batch)) == 2
    assert [one.metadata for one in batch.records()] == [{"k": 1}, {}]
    assert stages.circuits["misfits"].errors == 1


@pytest.mark.parametrize("invalid", [[1, 2], "a text", 5])
@pytest.mark.parametrize("when", [1, 3])
@pytest.mark.parametrize("pattern", ["p", ""])
def test_metadata_of_a_wrong_type_is_not_aggregated(record: Make, invalid: Any, when: int, pattern: str) -> None:
    """The accumulators would fail on it, and with them the whole pipeline: it is repaired before."""
    records = [record("a 1", timestamp=2, pattern=pattern), record("a 2", timestamp=when, pattern=pattern)]
    records[1].metadata = invalid
    with pytest.raises(InvalidRecordError):
        PreAggregator(5).sort(WorkingBatch(records))


@pytest.mark.parametrize(("field", "value"), INVALID, ids=str)
async def test_a_running_service_counts_every_log(
    start: Callable[..., Any], store: Store, record: Make, field: str, value: Any
) -> None:
    stage = invalidating("enrich", field, value, by_group=False)
    async with start(stage, Together()) as service, asyncio.timeout(120):
        for number in range(40):  # most calls of a plugin are not inspected
            await service.submit([record(f"a {number}")])
        await service.flush(60)
    assert store.total == 40
