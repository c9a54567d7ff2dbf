"""A plugin that fails costs nobody else anything, and `on_error` says what becomes of its records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.tests.made import PlainRegistry, make_plugin
from core.tests.model.test_batch import Apart, Together
from log_aggregator import Batch, Record, Reject, RetryableError
from log_aggregator.errors import OverloadedError
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.isolation import FAILURES_TO_OPEN
from log_aggregator.plugins.stages import Stages, StageUnavailableError

Make = Callable[..., Record]


def stages(*instances: Any, **entry: Any) -> Stages:
    plugins = [make_plugin(instance, f"plugin{index}", **entry) for index, instance in enumerate(instances)]
    return Stages(PlainRegistry(*plugins))  # type: ignore[arg-type]


def process(under_test: Stages, records: list[Record]) -> None:
    batch = WorkingBatch(records)
    under_test.process(batch)
    batch.records()


class Guard:
    def __init__(self, act: Callable[[Batch], Any]) -> None:
        self._act = act

    def on_ingest(self, batch: Batch) -> Any:
        return self._act(batch)


class Failing:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def normalize(self, batch: Batch) -> None:
        next(iter(batch)).pattern = "half done"
        raise self.error


class Pattern:
    def normalize(self, batch: Batch) -> None:
        for record in batch:
            record.pattern = record.pattern or "later"


class FailsAt:
    """Fails at records whose message is `bad`, in every hook."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if record.message == "bad":
                raise self.error
            record.message += " checked"

    def normalize(self, batch: Batch) -> None:
        for record in batch:
            if record.message == "bad":
                raise self.error
            record.pattern = "seen"


def refuse_some(batch: Batch) -> None:
    for record in batch:
        if record.message == "secret":
            batch.reject(record, "no secrets")
        elif record.message == "noise":
            batch.drop(record, "too much")


def test_records_are_rejected_and_dropped_with_reasons_that_are_counted(record: Make) -> None:
    records = [record("a"), record("secret"), record("noise"), record("b"), record("secret")]
    under_test = stages(Guard(refuse_some))
    kept, rejected = under_test.guard(WorkingBatch(records))
    assert [r.message for r in kept.records()] == ["a", "b"]
    assert rejected == [(records[1], "no secrets"), (records[4], "no secrets")]
    assert under_test.refusals.stats("plugin0") == {"dropped": {"too much": 1}, "rejected": {"no secrets": 2}}


def test_a_request_can_be_refused(record: Make) -> None:
    def refuse(_: Batch) -> None:
        raise Reject("closed on sundays")

    with pytest.raises(Reject, match="sundays"):
        stages(Guard(refuse)).guard(WorkingBatch([record()]))


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError()])
def test_after_a_stage_that_raises_the_next_runs(record: Make, error: BaseException) -> None:
    under_test = stages(Failing(error), Pattern())
    batch = [record("a"), record("b")]
    process(under_test, batch)
    assert [r.pattern for r in batch] == ["half done", "later"]
    assert under_test.circuits["plugin0"].errors == 1


def test_after_repeated_failures_the_plugin_is_left_out(record: Make) -> None:
    under_test = stages(Failing(ValueError("message text")))
    for _ in range(FAILURES_TO_OPEN + 3):
        process(under_test, [record()])
    circuit = under_test.circuits["plugin0"]
    assert circuit.is_open
    assert circuit.errors == FAILURES_TO_OPEN


@pytest.mark.parametrize("policy", ["wait", "refuse"])
def test_a_stage_that_must_not_be_left_out_never_is(record: Make, policy: str) -> None:
    under_test = stages(FailsAt(ValueError()), on_error=policy)
    for _ in range(2 * FAILURES_TO_OPEN):
        process(under_test, [record("bad")])
        under_test.circuits["plugin0"].stalled(1.0)
    records = [record("good")]
    process(under_test, records)
    assert records[0].pattern == "seen"


def test_a_guard_that_raises_costs_only_the_record_at_which_it_raises(record: Make) -> None:
    records = [record("a"), record("bad"), record("b")]
    kept, rejected = stages(FailsAt(KeyError("secret")), on_error="refuse").guard(WorkingBatch(records))
    assert [one.message.split()[0] for one in kept.records()] == ["a", "b"]
    assert all(one.message.endswith("checked") for one in kept.records())
    assert rejected == [(records[1], "plugin0 cannot check this record")]


def test_a_guard_that_cannot_run_lets_nothing_through(record: Make) -> None:
    with pytest.raises(OverloadedError) as caught:
        stages(FailsAt(RetryableError("away", retry_after=7)), on_error="refuse").guard(WorkingBatch([record("bad")]))
    assert caught.value.retry_after == 7


def test_a_record_waits_for_a_stage_that_cannot_run_and_goes_on_there(record: Make) -> None:
    under_test = stages(Together(), FailsAt(RetryableError("away")), on_error="wait")
    batch = WorkingBatch([record("bad"), record("good")])
    with pytest.raises(StageUnavailableError):
        under_test.process(batch)
    assert "records wait" in under_test.circuits["plugin1"].complaint
    batch.records()[0].message = "fine"
    under_test.process(batch)
    assert [one.pattern for one in batch.records()] == ["seen", "seen"]
    assert under_test.circuits["plugin0"].calls == 2  # normalize and enrich, once each
    assert not under_test.circuits["plugin1"].unavailable


def test_a_stage_that_waits_costs_a_record_at_which_it_raises_only_that_stage(record: Make) -> None:
    records = [record("a"), record("bad"), record("b")]
    process(stages(FailsAt(ValueError()), Apart(), on_error="wait"), records)
    assert [one.pattern for one in records] == ["A", "BAD", "B"]


def test_the_log_names_the_plugin_but_not_the_message(record: Make, caplog: pytest.LogCaptureFixture) -> None:
    process(stages(Failing(ValueError("password=hunter2"))), [record("password=hunter2")])
    assert "hunter2" not in str([vars(entry) for entry in caplog.records])
    assert caplog.records[0].plugin == "plugin0"  # type: ignore[attr-defined]
