"""Receivers with one named fault each, and the check of the suite that must find it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from log_aggregator import Record, Reject, Service, hookimpl
from log_aggregator.errors import OverloadedError
from log_aggregator.receivers import ingest_when_possible
from packages.dev.tests.good_receivers import GoodReader, Place


class TakesTwice(GoodReader):
    finds = "test_each_log_is_taken_once"

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        await service.ingest(records)
        await super().take(service, records, place)


class SplitsAtSeparators(GoodReader):
    finds = "test_hostile_bytes_are_one_log_each"

    def records(self, lines: list[bytes]) -> list[Record]:
        text = b"\n".join(lines).decode("utf-8", "replace")
        return [Record.of(line) for line in text.splitlines() if line]


class EndsAtALongLine(GoodReader):
    finds = "test_a_long_log_ends_nothing"

    async def read(self, service: Service) -> None:
        with contextlib.suppress(OverflowError):
            await super().read(service)

    def records(self, lines: list[bytes]) -> list[Record]:
        if any(len(line) > 1_000_000 for line in lines):
            raise OverflowError
        return super().records(lines)


class MakesRecordsByHand(GoodReader):
    finds = "test_records_are_as_by_http"

    def records(self, lines: list[bytes]) -> list[Record]:
        return [Record(line.decode("utf-8", "replace"), "warning", "app", 0, {}) for line in lines if line]


class DropsWhenOverloaded(GoodReader):
    finds = "test_overload_loses_nothing"

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        with contextlib.suppress(OverloadedError):
            await service.ingest(records, position=("file", json.dumps(place).encode()))


class EndsWhenRejected(GoodReader):
    finds = "test_a_rejected_batch_ends_nothing"

    async def read(self, service: Service) -> None:
        with contextlib.suppress(Reject):
            await super().read(service)

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        await ingest_when_possible(service, records, position=("file", json.dumps(place).encode()))


class RunsItsOwnTask(GoodReader):
    finds = "test_an_error_ends_nothing"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        task = asyncio.create_task(self.read(service))
        yield
        task.cancel()
        with contextlib.suppress(BaseException):
            await task


class RunsInEachWorker(GoodReader):
    finds = "test_two_workers_take_each_log_once"
    instances = "worker"


class LeavesATask(GoodReader):
    finds = "test_it_ends_with_the_service"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        self.left = asyncio.create_task(asyncio.sleep(600), name="left behind")
        async with GoodReader.lifespan(self, service):
            yield


class BeginsAnew(GoodReader):
    finds = "test_a_restart_goes_on"

    def place_of(self, position: bytes | None) -> Place:
        return super().place_of(None)


class MovesItsPlaceFirst(GoodReader):
    finds = "test_killed_before_the_commit_it_loses_nothing"

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        await service.ingest([], position=("file", json.dumps(place).encode()))
        await ingest_when_possible(service, records)


class MovesItsPlaceLast(GoodReader):
    finds = "test_killed_after_the_commit_it_takes_nothing_twice"

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        await ingest_when_possible(service, records)
        await service.ingest([], position=("file", json.dumps(place).encode()))


class TrustsItsPosition(GoodReader):
    finds = "test_a_position_that_cannot_be_read_ends_nothing"

    def place_of(self, position: bytes | None) -> Place:
        inode, offset = json.loads(position) if position is not None else (0, 0)
        return inode, offset


class KnowsNoOtherFile(GoodReader):
    finds = "test_rotation_loses_nothing"

    def next_lines(self, place: Place) -> tuple[list[bytes], Place]:
        if not self.path.exists():
            return [], place
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            file.seek(place[1] if place[1] <= size else 0)
            whole, newline, _ = file.read().rpartition(b"\n")
            end = file.tell() if newline else place[1]
        return whole.split(b"\n") if newline else [], (0, end)


class KnowsNoOtherFileOfAPause(KnowsNoOtherFile):
    finds = "test_rotation_during_a_pause_loses_nothing"


BROKEN_RECEIVERS: list[Any] = [
    TakesTwice, SplitsAtSeparators, EndsAtALongLine, MakesRecordsByHand, DropsWhenOverloaded, EndsWhenRejected,
    RunsItsOwnTask, RunsInEachWorker, LeavesATask, BeginsAnew, MovesItsPlaceFirst, MovesItsPlaceLast,
    TrustsItsPosition, KnowsNoOtherFile, KnowsNoOtherFileOfAPause,
]  # fmt: skip
