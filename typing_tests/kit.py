"""The tests of a plugin, and a program that logs, as their authors type them."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, assert_type

from log_aggregator import Record
from log_aggregator.sinks import Aggregate
from log_aggregator_client import LogAggregatorHandler
from log_aggregator_dev import OpenSink, SinkContract, StageContract, harness, make_record, run_stage
from typing_tests.sink import Sink
from typing_tests.stage import Stage


class TestStage(StageContract):
    secrets = ("hunter2",)

    def make_stage(self) -> Stage:
        return Stage(Stage.Config())


class TestSink(SinkContract):
    def make_sink(self, directory: Path) -> Sink:
        return Sink(Sink.Config(url=directory.as_uri()))

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        counts: dict[str, int] = json.loads("{}")
        return counts

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        yield


async def a_test_of_an_author(tmp_path: Path) -> None:
    """From HTTP to the sink, with types."""
    assert_type(run_stage(Stage(Stage.Config()), [make_record("User 1", level="ERROR")]), list[Record])
    async with harness("[plugins.patterns]", data_dir=tmp_path) as service:
        answer = await service.post("User 1 logged in", {"message": "User 2 logged in", "level": "ERROR"})
        assert_type(answer.status, int)
        assert_type(await service.aggregates(), list[Aggregate])
        assert_type(await service.counts(), dict[str, int])
        assert_type(await service.get("/stats"), Any)


def a_program_that_logs() -> None:
    """The handler is a `logging.Handler` and nothing else."""
    handler: logging.Handler = LogAggregatorHandler("http://127.0.0.1:8004", "shop")
    logging.getLogger().addHandler(handler)
    LogAggregatorHandler(8004, "shop")  # type: ignore[arg-type]  # the URL is a text
