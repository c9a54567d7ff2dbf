"""The whole suite for receivers, as one class."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

from log_aggregator.errors import ConfigError
from log_aggregator.model.record import Record
from log_aggregator.model.validation import fault_of
from log_aggregator_dev.receiver_places import PlaceChecks
from log_aggregator_dev.receiver_suite import difference, failed, happened, message_of, overloaded, rejected

FIRST = [b"log number %d" % number for number in range(20)]
LATER = [b"later log number %d" % number for number in range(20)]
LONG = 1_500_000
"""Bytes of a line that is longer than 1 MiB."""


class ReceiverContract(PlaceChecks):
    """Everything that the service expects of a receiver. Inherit, say how it is made and fed, and run pytest:

        class TestMine(ReceiverContract):
            def make_receiver(self, directory):
                return Mine(Mine.Config(tcp="127.0.0.1:0"))

            async def send(self, place, logs):
                _, writer = await asyncio.open_connection("127.0.0.1", place.ports[0])
                writer.writelines(log + b"\\n" for log in logs)
                writer.close()
                await writer.wait_closed()

    `keeps_place = True` says that it goes on where it stopped; `rotate` that it reads files.
    """

    def test_each_log_is_taken_once(self, tmp_path: Path) -> None:
        """What is sent arrives, each log once, with its own text."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run:
                await self.send(run.place, FIRST)
                await run.until(len(FIRST))
                await self.send(run.place, LATER)
                await run.until(len(FIRST + LATER))
            _same(run.counts(), message_of(FIRST + LATER), "what was sent is not what was counted")

        self.check(tmp_path, scenario)

    def test_hostile_bytes_are_one_log_each(self, tmp_path: Path) -> None:
        """NUL, bytes that are no UTF-8, U+2028, form feeds: a log is neither cut in two nor lost, nor ends the rest."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run:
                for log in self.hostile:
                    await self.send(run.place, [log, b"after it"])
                expected = 2 * len(self.hostile)
                await run.until(expected)
            found = run.counts()
            assert found["after it"] == len(self.hostile), "a log after a hostile one was lost or counted twice"
            assert found.total() == expected, (
                f"{len(self.hostile)} hostile logs became {found.total() - found['after it']}"
            )

        self.check(tmp_path, scenario)

    def test_a_long_log_ends_nothing(self, tmp_path: Path) -> None:
        """A log of 1.5 MB may be cut; the logs after it arrive."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run:
                with contextlib.suppress(OSError):  # a protocol may refuse it
                    await self.send(run.place, [b"x" * LONG])
                await self.send(run.place, LATER)
                await happened(lambda: sum(r.message.startswith("later log") for r in run.seen) >= len(LATER))
            found = Counter({text: count for text, count in run.counts().items() if not text.startswith("x")})
            _same(found, message_of(LATER), "after a log of 1.5 MB others were lost")

        self.check(tmp_path, scenario)

    def test_records_are_as_by_http(self, tmp_path: Path) -> None:
        """Levels are folded, texts are limited and repaired: records are made by `Record.of` or `from_object`."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run:
                await self.send(run.place, [*FIRST, *self.hostile, b"y" * 300_000])
                await run.until(len(FIRST) + len(self.hostile) + 1)
            wrong = [what for record in run.seen if (what := _unlike_http(record))]
            assert not wrong, f"{wrong[0]}; make records with Record.of or Record.from_object"

        self.check(tmp_path, scenario)

    def test_overload_loses_nothing(self, tmp_path: Path) -> None:
        """`OverloadedError` means that nothing was taken: the receiver tries again, or its client is told to."""

        async def scenario() -> None:
            async with self.running(tmp_path, overloaded, overloaded) as run:
                await self._sent(run, FIRST)
                await run.until(len(FIRST))
            _same(run.counts(), message_of(FIRST), "while the service was overloaded logs were lost or taken twice")

        self.check(tmp_path, scenario)

    def test_a_rejected_batch_ends_nothing(self, tmp_path: Path) -> None:
        """`Reject` costs the batch; what comes later is taken."""

        async def scenario() -> None:
            async with self.running(tmp_path, rejected) as run:
                with contextlib.suppress(Exception):  # its client may hear of it
                    await self.send(run.place, FIRST[:1])
                await happened(lambda: not run.faults)
                await self.send(run.place, LATER)
                await run.until(len(LATER))
            _same(run.counts(), message_of(LATER), "after a batch that a stage rejected")

        self.check(tmp_path, scenario)

    def test_an_error_ends_nothing(self, tmp_path: Path) -> None:
        """After an error that nobody expected logs are taken again: tasks are run by `service.run`."""

        async def scenario() -> None:
            async with self.running(tmp_path, failed) as run:
                with contextlib.suppress(Exception):  # its client may hear of it
                    await self.send(run.place, FIRST[:1])
                await happened(lambda: not run.faults)
                await self.send(run.place, LATER)
                await run.until(len(LATER) + self.keeps_place)
            _same(
                run.counts() - message_of(FIRST[:1]),
                message_of(LATER),
                "after an error of service.ingest logs were lost",
            )

        self.check(tmp_path, scenario)

    def test_two_workers_take_each_log_once(self, tmp_path: Path) -> None:
        """With several workers nothing counts twice: a receiver that reads by itself says `instances = "node"`."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run, contextlib.AsyncExitStack() as stack:
                other = None
                if getattr(self.make_receiver(tmp_path), "instances", "worker") == "worker":
                    with contextlib.suppress(ConfigError):  # a port that is taken is shared by the service
                        other = await stack.enter_async_context(self._second(tmp_path))
                await self.send(run.place, FIRST)
                await run.until(len(FIRST))
                if other is not None and self.keeps_place:
                    await other.until(1)
            found = run.counts() + (other.counts() if other is not None else Counter[str]())
            _same(found, message_of(FIRST), 'two workers took the same logs; expected instances = "node" in the class')

        self.check(tmp_path, scenario)

    def test_it_ends_with_the_service(self, tmp_path: Path) -> None:
        """When the service stops the receiver ends soon, and no task of it goes on."""

        async def scenario() -> None:
            before = asyncio.all_tasks()
            async with self.running(tmp_path) as run:
                await self.send(run.place, FIRST)
                await run.until(len(FIRST))
            await asyncio.sleep(0)
            left = [task.get_name() for task in asyncio.all_tasks() - before]
            assert not left, f"tasks go on after the service stopped: {', '.join(left)}"

        self.check(tmp_path, scenario)


def _same(found: Counter[str], expected: Counter[str], what: str) -> None:
    assert found == expected, f"{what}: {difference(found, expected)}"


def _unlike_http(record: Record) -> str:
    """What a record has that one made by `Record.of` would not; empty when all is well."""
    if fault := fault_of(record):
        return f"a record has a wrong {fault}: {type(getattr(record, fault)).__name__}"
    made = Record.of(
        record.message, level=record.level, source=record.source, timestamp=record.timestamp, metadata=record.metadata
    )
    for name in ("message", "level", "source", "metadata"):
        if getattr(made, name) != getattr(record, name):
            return f"a record has a {name} that HTTP would not take as it is"
    return ""
