"""Stages that garble alike records, or take some away: the batch goes on, and no log is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from core.tests.made import PlainRegistry, Store, make_plugin
from core.tests.model.test_batch import Apart, Together
from log_aggregator import Batch, Record
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import InvalidRecordError, PreAggregator

Make = Callable[..., Record]


def test_a_stage_that_loses_records_fails_and_the_batch_goes_on(record: Make) -> None:
    class Loses:
        def normalize(self, batch: Batch) -> None:
            batch.replace([])

    stages = Stages(PlainRegistry(make_plugin(Loses(), "loses"), make_plugin(Together(), "after")))  # type: ignore[arg-type]
    batch = Batch([record("a 1"), record("a 2")])
    stages.process(batch)
    assert [one.pattern for one in batch.records()] == ["A 0", "A 0"]
    assert stages.circuits["loses"].errors == 1


def test_a_stage_that_takes_records_out_of_what_is_alike_costs_none(record: Make) -> None:
    class Takes:
        def enrich(self, batch: Batch) -> None:
            for same in batch.alike():
                same.records.clear()

    stages = Stages(PlainRegistry(make_plugin(Together(), "before"), make_plugin(Takes(), "takes")))  # type: ignore[arg-type]
    batch = Batch([record("a 1"), record("a 2"), record("b 1")])
    stages.process(batch)
    assert sum(kind.logs for kind in PreAggregator(5).sort(batch)) == 3
    assert stages.circuits["takes"].last_error == "enrich: took records or metadata out of the batch"


@pytest.mark.parametrize(("field", "garbage"), [("tags", ["a", "list"]), ("metadata", [{1: "a"}, {1: "b"}])])
def test_what_a_stage_garbled_is_found_in_both_forms(record: Make, field: str, garbage: Any) -> None:
    class Garbles:
        def enrich(self, batch: Batch) -> None:
            for same in batch.alike():
                setattr(same, field, garbage)

    stages = Stages(PlainRegistry(make_plugin(Garbles(), "garbles")))  # type: ignore[arg-type]
    batch = Batch([record("a 1"), record("a 2")])
    stages.process(batch)
    assert [(one.tags, one.metadata) for one in batch.records()] == [((), {}), ((), {})]
    assert f"wrong {field}" in stages.circuits["garbles"].last_error


@pytest.mark.parametrize("garbage", ["a text", 5, ["a", "list"]])
async def test_errors_that_are_no_tuple_cost_no_log(
    start: Callable[..., Any], store: Store, record: Make, garbage: Any
) -> None:
    class Garbles:
        def on_ingest(self, batch: Batch) -> None:
            for same in batch.alike():
                same.errors = garbage

        def enrich(self, batch: Batch) -> None:
            for same in batch.alike():
                same.errors = garbage

    async with start(Garbles(), Apart()) as service, asyncio.timeout(10):
        assert (await service.take([record("a 1"), record("a 2")])).accepted == 2
        await service.flush(5)
    assert store.counts == {"A 0": 2}


@pytest.mark.parametrize("garbage", [[1, 2], "a text", 5])
@pytest.mark.parametrize("when", [1, 3])
@pytest.mark.parametrize("pattern", ["p", ""])
def test_metadata_of_a_wrong_type_is_no_kind(record: Make, garbage: Any, when: int, pattern: str) -> None:
    """Whoever folds it would fail, and with that the whole pipeline: it is to be repaired before."""
    records = [record("a 1", timestamp=2, pattern=pattern), record("a 2", timestamp=when, pattern=pattern)]
    records[1].metadata = garbage
    with pytest.raises(InvalidRecordError):
        PreAggregator(5).sort(Batch(records))


async def test_metadata_that_a_plugin_garbled_costs_no_log(
    start: Callable[..., Any], store: Store, record: Make
) -> None:
    class Garbles:
        def enrich(self, records: list[Record]) -> None:
            for one in records:
                one.metadata = [1, 2]  # type: ignore[assignment]

    async with start(Garbles()) as service:
        for number in range(50):  # most calls of a plugin are not looked at
            await service.take([record(f"a {number}")])
        await service.flush(20)
    assert store.total == 50


@pytest.mark.parametrize("wrong", [[{"k": 1}] * 3, 5])
def test_metadata_that_does_not_fit_the_records_costs_none(record: Make, wrong: Any) -> None:
    class Misfits:
        def enrich(self, batch: Batch) -> None:
            for same in batch.alike():
                same.metadata = wrong

    stages = Stages(PlainRegistry(make_plugin(Misfits(), "misfits")))  # type: ignore[arg-type]
    batch = Batch([record("a 1", metadata={"k": 1}), record("a 2")])
    stages.process(batch)
    assert sum(kind.logs for kind in PreAggregator(5).sort(batch)) == 2
    assert stages.circuits["misfits"].errors == 1


@pytest.mark.parametrize("hook", ["on_ingest", "normalize", "enrich"])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("after", [Apart, Together, None])
@pytest.mark.parametrize("inspected", [5, 10**9])
async def test_what_is_no_record_costs_no_log(
    start: Callable[..., Any],
    store: Store,
    record: Make,
    monkeypatch: pytest.MonkeyPatch,
    hook: str,
    place: int,
    after: type | None,
    inspected: int,
) -> None:
    """Whichever form the next one takes, or when there is none; whether the call is looked at or not."""
    monkeypatch.setattr("log_aggregator.plugins.stages.INSPECTED", inspected)

    def garble(self: Any, batch: Batch) -> object:
        for same in batch.alike() if self.calls else ():  # the first call is looked at
            same.category = "said"
            same.records[place] = "a text"  # type: ignore[call-overload]
        self.calls += 1
        return None

    garbles = type("Garbles", (), {hook: garble, "calls": 0})()
    async with start(garbles, *([after()] if after else [])) as service, asyncio.timeout(10):
        for number in range(20):
            logs = [record(f"a {number}{digit}", timestamp=number) for digit in range(3)]
            assert (await service.take(logs)).accepted == 3
        await service.flush(5)
        faults = [circuit.last_error for circuit in service.stages.circuits.values() if circuit.errors]
    assert store.total == 60
    if inspected == 5:
        assert f"{hook}: put something else in the place of records" in faults
