"""The harness runs plugins from HTTP to the sink, and the fixtures and strategies are there for whoever tests one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from pydantic import BaseModel, ConfigDict

from log_aggregator import Batch, ConfigError, Record, hookimpl
from log_aggregator.journal import decode, encode
from log_aggregator.model.validation import fault_of
from log_aggregator.sinks import Flush
from log_aggregator_dev import make_record as record_factory
from log_aggregator_dev.strategies import flushes, records
from packages.dev.tests.good import GoodStage


class Tagger:
    """A class as an entry point would name it."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        tag: str = "seen"

    def __init__(self, config: Config) -> None:
        self.tag = config.tag

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.tags = (self.tag,)


async def test_an_object_is_run_from_http_to_the_sink(harness: Callable[..., Any]) -> None:
    async with harness(given={"mask": GoodStage()}) as h:
        answer = await h.post("User 12 logged in", "User 34 logged in", "drop me")
        assert (answer.status, answer.body["accepted"]) == (202, 2)
        assert await h.counts() == {"User ## logged in": 2}
        (aggregate,) = await h.aggregates()
        assert aggregate.category == "user"


async def test_a_class_gets_its_options_from_the_text(harness: Callable[..., Any]) -> None:
    async with harness('[plugins.tagger]\ntag = "mine"\n', given={"tagger": Tagger}) as h:
        await h.post("hello")
        assert (await h.aggregates())[0].tags == {"mine": 1}
        assert h.plugin("tagger").tag == "mine"


async def test_a_wrong_option_stops_the_start(harness: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'tag'"):
        async with harness('[plugins.tagger]\ntagg = "mine"\n', given={"tagger": Tagger}):
            pass


async def test_a_class_for_another_api_version_is_refused(harness: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="written for plugin API >=2, this core has 1"):
        async with harness(given={"tagger": type("Newer", (Tagger,), {"api": ">=2"})}):
            pass


async def test_installed_plugins_are_run_too(harness: Callable[..., Any]) -> None:
    pipeline = "[plugins.patterns]\n[plugins.sqlite]\n"
    async with harness(pipeline) as h:
        await h.post("User 123 logged in")
        await h.flush()
        assert [row["pattern"] for row in (await h.get("/patterns"))["patterns"]] == ["User {ID} logged in"]
    async with harness(pipeline) as h:
        await h.post("User 124 logged in")
        await h.flush()
        assert (await h.get("/patterns"))["patterns"][0]["count"] == 2


def test_factories(make_record: Callable[..., Record], make_flush: Callable[..., Flush]) -> None:
    assert make_record("hello", level="ERROR").level == "ERROR"
    assert make_flush().aggregates == ()
    assert make_record is record_factory


@given(records())
def test_made_records_can_be_kept(record: Record) -> None:
    assert fault_of(record) == ""
    assert decode(encode([record]))[0].message == record.message


@given(flushes())
def test_made_flushes_survive_the_outbox(flush: Flush) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(flush), type=Flush).aggregates == flush.aggregates
    assert len({aggregate.key for aggregate in flush.aggregates}) == len(flush.aggregates)
