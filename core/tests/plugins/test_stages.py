"""A plugin that fails costs nobody else anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.tests.made import PlainRegistry, make_plugin
from log_aggregator import Batch, Record, Reject
from log_aggregator.plugins.isolation import FAILURES_TO_OPEN
from log_aggregator.plugins.stages import Stages

Make = Callable[..., Record]


def stages(*instances: Any) -> Stages:
    plugins = [make_plugin(instance, f"plugin{index}") for index, instance in enumerate(instances)]
    return Stages(PlainRegistry(*plugins))  # type: ignore[arg-type]


def process(under_test: Stages, records: list[Record]) -> None:
    batch = Batch(records)
    under_test.process(batch)
    batch.records()


class Ingester:
    def __init__(self, act: Callable[[list[Record]], Any]) -> None:
        self._act = act

    def on_ingest(self, records: list[Record]) -> Any:
        return self._act(records)


class Failing:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def normalize(self, records: list[Record]) -> None:
        records[0].pattern = "half done"
        raise self.error


class Pattern:
    def normalize(self, records: list[Record]) -> None:
        for record in records:
            record.pattern = record.pattern or "later"


def refuse_secret(records: list[Record]) -> None:
    for record in records:
        if record.message == "secret":
            raise Reject("no secrets", record)


def test_single_records_are_refused_and_the_rest_goes_on(record: Make) -> None:
    batch = [record("a"), record("secret"), record("b"), record("secret")]
    kept, refused = stages(Ingester(refuse_secret)).guard(Batch(batch))
    assert [r.message for r in kept.records()] == ["a", "b"]
    assert [(r, why) for r, why in refused] == [(batch[1], "no secrets"), (batch[3], "no secrets")]


def test_a_whole_batch_can_be_refused(record: Make) -> None:
    def refuse(_: list[Record]) -> None:
        raise Reject("closed on sundays")

    with pytest.raises(Reject, match="sundays"):
        stages(Ingester(refuse)).guard(Batch([record()]))


def test_a_returned_list_replaces_the_batch(record: Make) -> None:
    kept, _ = stages(Ingester(lambda records: records[:1]), Ingester(lambda records: records * 2)).guard(
        Batch([record("a"), record("b")])
    )
    assert [r.message for r in kept.records()] == ["a", "a"]


def test_garbage_from_a_stage_leaves_the_batch_as_it_was(record: Make) -> None:
    under_test = stages(Ingester(lambda _: "garbage"))
    kept, _ = under_test.guard(Batch([record("a")]))
    assert [r.message for r in kept.records()] == ["a"]
    assert under_test.circuits["plugin0"].errors == 1


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError()])
def test_a_stage_that_raises_leaves_its_mark_and_the_next_runs(record: Make, error: BaseException) -> None:
    under_test = stages(Failing(error), Pattern())
    batch = [record("a"), record("b")]
    process(under_test, batch)
    assert [r.pattern for r in batch] == ["half done", "later"]
    assert batch[1].errors == (f"plugin0.normalize: {type(error).__name__}",)
    assert under_test.circuits["plugin0"].errors == 1


def test_after_repeated_failures_the_plugin_is_left_out(record: Make) -> None:
    under_test = stages(Failing(ValueError("message text")))
    for _ in range(FAILURES_TO_OPEN + 3):
        process(under_test, [record()])
    circuit = under_test.circuits["plugin0"]
    assert circuit.is_open
    assert circuit.errors == FAILURES_TO_OPEN


def test_the_log_names_the_plugin_but_not_the_message(record: Make, caplog: pytest.LogCaptureFixture) -> None:
    process(stages(Failing(ValueError("password=hunter2"))), [record("password=hunter2")])
    assert "hunter2" not in str([vars(entry) for entry in caplog.records])
    assert caplog.records[0].plugin == "plugin0"  # type: ignore[attr-defined]
