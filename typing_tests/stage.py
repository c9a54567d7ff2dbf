"""A stage as an author types it. `mypy --strict` runs over this file; the file itself is never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, assert_type

from pydantic import BaseModel, ConfigDict

from log_aggregator import Batch, ConfigError, Group, Record, Reject, Service, hookimpl


class Stage:
    """Uses each member of the contract once and says which type it has."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        word: str = "noise"

    def __init__(self, config: Config) -> None:
        if not config.word:
            raise ConfigError("word: empty; expected a word")
        self.word = config.word

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        assert_type(len(batch), int)
        for record in batch:
            assert_type(record, Record)
            assert_type(record.timestamp, int)
            assert_type(record.metadata, dict[str, Any])
            if self.word in record.message:
                batch.drop(record, "noise")
            elif not record.message:
                batch.reject(record, "an empty message")
            record.message = record.message.strip()
        if not len(batch):
            raise Reject("nothing is left")

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        for group in batch.groups():
            assert_type(group, Group)
            assert_type(group.messages, Sequence[str])
            group.pattern, group.pattern_is_final = group.shape, True

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for group in batch.groups():
            assert_type(group.metadata, Sequence[Mapping[str, Any]])
            for key, part in group.split([bool(entry) for entry in group.metadata]):
                assert_type(key, bool)
                assert_type(part, Group)
                part.tags += ("with metadata",) if key else ()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        assert_type(await service.stats(), dict[str, Any])
        service.add_stats("stage", lambda: {"word": self.word})
        yield


def what_an_author_may_not_do(batch: Batch) -> None:
    """mypy reports each of these lines: a comment that ignores nothing would be an error itself."""
    for group in batch.groups():
        group.shape = "x"  # type: ignore[misc]  # read-only
        group.messages = ["x"]  # type: ignore[misc]  # read-only
    for record in batch:
        record.shape  # type: ignore[attr-defined]  # noqa: B018  a record has none
        batch.drop(record)  # type: ignore[call-arg]  # a reason is missing
