"""What every stage check needs: making the stage, running its hooks over records, comparing what came out."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from log_aggregator.errors import Reject
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record
from log_aggregator_dev.factories import NOW, make_record
from log_aggregator_dev.host import living

HOOKS = ("on_ingest", "normalize", "enrich")

MESSAGES = (
    "User 123 logged in",
    "User 4567 logged in",
    "Query took 0.05s",
    "GET /health 200 12ms",
    "Error: File not found: /path/file.txt",
    "Connection from 10.0.1.50 closed",
    'payment failed {"order": "ORD-20240101", "amount": 12.50}',
    "héllo wörld",
)


_OTHER_DIGITS = str.maketrans("0123456789", "1234567890")


class StageSuite:
    """What a stage's author says about the stage. See `StageContract`."""

    messages: tuple[str, ...] = MESSAGES
    """What is fed to the stage; add what yours is made for."""

    same_result_again = True
    """Whether a new stage gives the same records the same fields. `False` for one that learns or draws."""

    secrets: tuple[str, ...] = ()
    """Texts that the stage must mask wherever they stand. Only for stages that redact."""

    batch_independent = True
    """Whether it does not matter which records share a batch. `False` for one that compares them."""

    deadline = 60.0
    """Seconds for one check."""

    def make_stage(self) -> Any:
        """A new stage. Required: without it, the checks fail and say what is missing."""
        raise NotImplementedError(f"{type(self).__name__}.make_stage(self) must return the stage under test")

    def records(self) -> list[Record]:
        """New records for the stage."""
        return [
            make_record(message, source=f"source-{number % 3}", timestamp=NOW + number, metadata={"n": str(number)})
            for number, message in enumerate(self.messages)
        ]

    def alike_records(self) -> list[Record]:
        """New records, and each once more with other digits: those two are alike."""
        others = [copy.copy(record) for record in self.records()]
        for record in others:
            record.message = record.message.translate(_OTHER_DIGITS)
        return [*self.records(), *others]

    def check(self, directory: Path, scenario: Callable[[Any], Awaitable[None] | None]) -> None:
        """Run one check on a new stage inside its lifespan, within the deadline."""

        async def limited() -> None:
            stage = self.make_stage()
            async with asyncio.timeout(self.deadline), living(stage, directory):
                outcome = scenario(stage)
                if outcome is not None:
                    await outcome

        asyncio.run(limited())


def run_stage(stage: Any, records: list[Record]) -> list[Record]:
    """Run the stage's hooks as the service does; the records that are kept. An exception is raised again."""
    batch = run_hook(stage, "on_ingest", records)
    for hook in ("normalize", "enrich"):
        if hasattr(stage, hook):
            batch.call(hook, getattr(stage, hook))
    return batch.records()


def run_hook(stage: Any, hook: str, records: list[Record]) -> WorkingBatch:
    """Run one hook of the stage, if it has it; the batch without the records that were refused."""
    batch = WorkingBatch(records)
    if not hasattr(stage, hook):
        return batch
    try:
        batch.call(hook, getattr(stage, hook))
    except Reject:
        return WorkingBatch([])
    return batch.kept()


def content(records: list[Record]) -> list[Any]:
    """The records as plain values, to be compared."""
    return [msgspec.to_builtins(copy.copy(record)) for record in records]
