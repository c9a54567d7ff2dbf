"""The whole suite for stages: plugins with `on_ingest`, `normalize` or `enrich`."""

from __future__ import annotations

import asyncio
import copy
import time
from pathlib import Path
from typing import Any

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record
from log_aggregator.model.validation import fault_of
from log_aggregator.plugins.isolation import STALL
from log_aggregator_dev.factories import make_record
from log_aggregator_dev.harness import harness
from log_aggregator_dev.host import living
from log_aggregator_dev.hostile import TEXTS, hostile_records
from log_aggregator_dev.limit import processor_time
from log_aggregator_dev.stage_suite import HOOKS, StageSuite, content, run_hook, run_stage

LONGEST = 2.0
"""Seconds of processor time for one hostile message. A stage that needs more than milliseconds needs minutes soon."""


class StageContract(StageSuite):
    """Everything that the service expects of a stage. Inherit, say how the stage is made, and run pytest:

    class TestMyStage(StageContract):
        def make_stage(self):
            return MyStage(MyStage.Config())
    """

    def test_it_is_a_stage(self) -> None:
        """At least one hook is there, and each is marked with `@hookimpl`: others are never called."""
        stage = self.make_stage()
        hooks = [name for name in HOOKS if hasattr(stage, name)]
        assert hooks, f"the plugin has none of the hooks {', '.join(HOOKS)}"
        for name in hooks:
            assert hasattr(getattr(stage, name), "log_aggregator_impl"), f"{name} is not marked with @hookimpl"

    def test_an_empty_batch_is_taken(self, tmp_path: Path) -> None:
        """No records are no error."""
        self.check(tmp_path, lambda stage: _ignore(run_stage(stage, [])))

    def test_records_stay_what_they_are(self, tmp_path: Path) -> None:
        """After the stage every field has its type, in a form that can be kept: the journal and sinks rely on it."""

        def scenario(stage: Any) -> None:
            for record in run_stage(stage, self.records()):
                assert isinstance(record, Record), f"a {type(record).__name__} is among the records"
                assert not fault_of(record), f"{fault_of(record)} cannot be kept after the stage"

        self.check(tmp_path, scenario)

    def test_a_secret_is_found_nowhere(self, tmp_path: Path) -> None:
        """What `on_ingest` masks in a message is in no field of the record, after every hook."""

        def scenario(stage: Any) -> None:
            for secret in self.secrets:
                records = [make_record(f"login with {secret} ok", metadata={"note": f"used {secret}"})]
                for record in run_stage(stage, records):
                    assert secret not in str(record), f"{secret!r} is still in the record"

        self.check(tmp_path, scenario)

    def test_nothing_is_assigned_in_vain(self, tmp_path: Path) -> None:
        """What a hook returns or assigns takes effect: hooks return `None`, and no field that does not exist is set."""

        def scenario(stage: Any) -> None:
            for hook in HOOKS:
                if hasattr(stage, hook):
                    returned = getattr(stage, hook)(batch=WorkingBatch(self.records()))
                    assert returned is None, f"{hook} returned something: the service does not look at it"

        self.check(tmp_path, scenario)

    def test_message_and_time_are_kept(self, tmp_path: Path) -> None:
        """`normalize` and `enrich` leave the message, source and timestamp alone."""

        def scenario(stage: Any) -> None:
            for hook in ("normalize", "enrich"):
                records = self.records()
                before = [(id(r), r.message, r.source, r.timestamp) for r in records]
                after = [(id(r), r.message, r.source, r.timestamp) for r in run_hook(stage, hook, records).records()]
                assert after == before, f"{hook} changed a message, source or timestamp"

        self.check(tmp_path, scenario)

    def test_shared_metadata_is_left_alone(self, tmp_path: Path) -> None:
        """Records may share one metadata object: a stage replaces it, and does not change it in place."""

        def scenario(stage: Any) -> None:
            records = self.records()
            shared: dict[str, Any] = {"password": "secret", "status": 500, "path": "/x", "duration": "12ms"}
            before = copy.deepcopy(shared)
            for record in records:
                record.metadata = shared
            run_stage(stage, records)
            assert shared == before, "metadata was changed in place; write record.metadata = {**record.metadata, …}"

        self.check(tmp_path, scenario)

    def test_the_same_records_get_the_same_result(self, tmp_path: Path) -> None:
        """After a crash the service runs the same records through a new stage: the outcome is the same."""
        if not self.same_result_again:
            return
        outcomes: list[Any] = []
        for number in range(2):
            directory = tmp_path / str(number)
            directory.mkdir()
            self.check(directory, lambda stage: outcomes.append(content(run_stage(stage, self.records()))))
        assert outcomes[0] == outcomes[1], "a new stage gave the same records other fields"

    def test_a_batch_is_the_sum_of_its_records(self, tmp_path: Path) -> None:
        """It does not matter which records share a batch: under load batches are larger."""

        def scenario(stage: Any) -> None:
            together = content(run_stage(stage, self.alike_records()))
            alone = [entry for record in self.alike_records() for entry in content(run_stage(stage, [record]))]
            if self.batch_independent:
                assert together == alone, "records got other fields in a batch than alone"

        self.check(tmp_path, scenario)

    def test_hostile_text_is_taken(self, tmp_path: Path) -> None:
        """NUL, very long messages, odd metadata, nothing at all: the stage does not raise, and leaves good records."""

        def scenario(stage: Any) -> None:
            for record in run_stage(stage, list(hostile_records())):
                assert not fault_of(record), f"{fault_of(record)} cannot be kept after a hostile message"

        self.check(tmp_path, scenario)

    def test_no_message_takes_long(self, tmp_path: Path) -> None:
        """There is no message, up to the longest that is taken, that keeps the stage busy for long."""

        def scenario(stage: Any) -> None:
            for text in (*TEXTS, *self.messages):
                for stretched in (text, (text * 16_384)[:16_383] + "!"):
                    record = self.records()[0]
                    record.message = stretched or "!"
                    with processor_time(LONGEST, f"a message that begins with {stretched[:20]!r}"):
                        run_stage(stage, [record])

        self.check(tmp_path, scenario)

    def test_the_loop_is_not_held_up(self, tmp_path: Path) -> None:
        """A stage runs on the event loop: a batch of 1,000 takes far less than half a second, at the best of three."""

        def scenario(stage: Any) -> None:
            taken = []
            for _ in range(3):
                records = (self.records() * (1_000 // len(self.messages) + 1))[:1_000]
                batch = [copy.copy(record) for record in records]
                started = time.perf_counter()
                run_stage(stage, batch)
                taken.append(time.perf_counter() - started)
            assert min(taken) < STALL, f"a batch of 1,000 records took {min(taken):.1f} s; nothing may wait in a stage"

        self.check(tmp_path, scenario)

    def test_closing_leaves_nothing_running(self, tmp_path: Path) -> None:
        """When the lifespan is left, no task of the stage goes on."""
        left: list[str] = []

        async def scenario() -> None:
            before = asyncio.all_tasks()
            async with living(self.make_stage(), tmp_path):
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            left.extend(task.get_name() for task in asyncio.all_tasks() - before)

        async def limited() -> None:
            async with asyncio.timeout(self.deadline):
                await scenario()

        asyncio.run(limited())
        assert not left, f"tasks go on after the lifespan was left: {', '.join(left)}"

    def test_it_works_inside_the_service(self, tmp_path: Path) -> None:
        """Logs that are posted over HTTP pass the stage without an error, and are counted."""

        async def scenario() -> None:
            stage = self.make_stage()
            async with asyncio.timeout(self.deadline), harness(given={"under-test": stage}, data_dir=tmp_path) as h:
                answer = await h.post(*(message or "!" for message in self.messages))
                assert answer.status == 202, f"the service answered {answer.status}: {answer.body}"
                total = sum((await h.counts()).values())
                stats = h.service.runtime.stages.circuits["under-test"].stats()
                assert total == h.service.runtime.ingester.accepted, "what was accepted is not what was aggregated"
                assert stats["calls"], "the stage was never called"
                assert not stats["errors"], f"the stage failed inside the service: {stats['last_error']}"

        asyncio.run(scenario())


def _ignore(_: object) -> None:
    return None
