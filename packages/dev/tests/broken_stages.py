"""Stages and rule packs with one named fault each, and the check of the suite that must find it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator
from typing import Any

from log_aggregator import Batch, Service, hookimpl
from packages.dev.tests.good import SECRET, GoodPack, GoodStage

_numbers = itertools.count()


class IsNotMarked(GoodStage):
    finds = "test_it_is_a_stage"

    def enrich(self, batch: Batch) -> None:
        """Without `@hookimpl`."""


class NeedsARecord(GoodStage):
    finds = "test_an_empty_batch_is_taken"

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        next(iter(batch)).pattern = next(iter(batch)).message
        super().normalize(batch)


class SetsNoText(GoodStage):
    finds = "test_records_stay_what_they_are"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.tags = ["a", "list"]  # type: ignore[assignment]


class ReturnsRecords(GoodStage):
    finds = "test_nothing_is_assigned_in_vain"

    @hookimpl
    def on_ingest(self, batch: Batch) -> Any:
        return [record for record in batch if record.message != "drop me"]


class MasksMessagesOnly(GoodStage):
    finds = "test_a_secret_is_found_nowhere"

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            record.message = record.message.replace(SECRET, "[gone]")


class KeepsTheSecretElsewhere(GoodStage):
    finds = "test_a_secret_is_found_nowhere"

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            record.tags = (record.message,)
        super().on_ingest(batch)


class ChangesTheMessage(GoodStage):
    finds = "test_message_and_time_are_kept"

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        super().normalize(batch)
        for record in batch:
            record.message = record.pattern


class ChangesMetadataInPlace(GoodStage):
    finds = "test_shared_metadata_is_left_alone"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.metadata["seen"] = True


class NumbersRecords(GoodStage):
    finds = "test_the_same_records_get_the_same_result"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.tags = (f"record {next(_numbers)}",)


class LooksAtTheFirst(GoodStage):
    finds = "test_a_batch_is_the_sum_of_its_records"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.category = next(iter(batch)).message[:4]


class TakesDigitsOfOneForAll(GoodStage):
    finds = "test_a_batch_is_the_sum_of_its_records"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for group in batch.groups():
            group.category = group.messages[0][-4:]


class AnnotatesAGroupThatWasSplit(GoodStage):
    finds = "test_a_batch_is_the_sum_of_its_records"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for group in batch.groups():
            group.split(group.messages)
            group.category = "lost"


class ExpectsANumber(GoodStage):
    finds = "test_hostile_text_is_taken"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            if record.message.startswith("digits"):
                record.category = str(int(record.message.split()[1]))


class BacktracksForEver(GoodStage):
    finds = "test_no_message_takes_long"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.category = "x" if re.search(r"(x+x+)+y", record.message) else ""


class Waits(GoodStage):
    finds = "test_the_loop_is_not_held_up"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        time.sleep(len(batch) / 1000)


class LeavesATask(GoodStage):
    finds = "test_closing_leaves_nothing_running"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        self.task = asyncio.create_task(asyncio.Event().wait())
        yield


class FailsInsideTheService(GoodStage):
    finds = "test_it_works_inside_the_service"

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        if any(record.source == "test" for record in batch):
            raise KeyError("test")


class WrongExpression(GoodPack):
    finds = "test_the_rules_are_accepted"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [{"name": "order", "regex": "("}]


class BacktracksForEverToo(GoodPack):
    finds = "test_the_rules_are_accepted"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [*super().pattern_rules(), {"name": "slow", "regex": "(x+x+)+y"}]


class GateThatShuts(GoodPack):
    finds = "test_every_example_gets_its_pattern"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [{"name": "order", "regex": r"\bORD-\d{8}\b", "gate": ["ord-"]}, *super().pattern_rules()[1:]]


class IdleRule(GoodPack):
    finds = "test_every_rule_has_an_example"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [*super().pattern_rules(), {"name": "idle", "regex": "never seen anywhere"}]


class TakesTooMuch(GoodPack):
    finds = "test_other_messages_are_left_alone"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [super().pattern_rules()[0], {"name": "till", "regex": r"\b[a-z]+-[a-z]{3}\b"}]


class MasksItsOwnPattern(GoodPack):
    finds = "test_a_pattern_stays_as_it_is"

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [*super().pattern_rules(), {"name": "word", "regex": "shipped|(?<=from )[{]TILL[}]"}]


BROKEN_STAGES: list[Any] = [cls for cls in GoodStage.__subclasses__() if cls.__module__ == __name__]
BROKEN_PACKS: list[Any] = [cls for cls in GoodPack.__subclasses__() if cls.__module__ == __name__]
