"""Plugins that misbehave in one named way while a file exists. Copied beside a service and found by entry points."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from log_aggregator import hookimpl


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    how: str
    switch: Path


class Misbehaving:
    Config = Config

    def __init__(self, config: Config) -> None:
        self.how = config.how
        self.switch = config.switch

    def misbehave(self, subject: Any) -> Any:
        """Do it, if it is time. `subject` is the batch or the flush."""
        return getattr(self, self.how)(subject) if self.switch.exists() else None

    def raises(self, _: Any) -> None:
        raise ValueError("a message that must not be logged")

    def exits(self, _: Any) -> None:
        raise SystemExit(3)

    def recurses(self, subject: Any) -> None:
        self.recurses(subject)

    def is_slow(self, _: Any) -> None:
        time.sleep(0.02)

    def blocks(self, _: Any) -> None:
        self.switch.with_suffix(".began").write_text(str(time.time()))
        self.switch.unlink()
        time.sleep(1.5)

    def backtracks(self, _: Any) -> None:
        """Keeps the interpreter's lock: no other thread runs meanwhile."""
        self.switch.with_suffix(".began").write_text(str(time.time()))
        self.switch.unlink()
        for length in range(18, 40):  # until one search takes long enough, on whatever machine
            began = time.monotonic()
            re.search("(x+x+)+y", "x" * length)
            if time.monotonic() - began > 0.8:
                return

    def hangs(self, _: Any) -> None:
        time.sleep(3600)

    def dies(self, _: Any) -> None:
        os._exit(7)

    def eats(self, _: Any) -> None:
        self.eaten = bytearray(4 * 1024**3)

    def prints(self, _: Any) -> None:
        print("not a frame")
        os.write(1, b"neither")


class Door(Misbehaving):
    @hookimpl
    def on_ingest(self, batch: Any) -> None:
        self.misbehave(list(batch))

    def garbles(self, records: Any) -> None:
        for number, record in enumerate(records):
            record.message, record.metadata = None, {number: object()}

    def garbles_deeply(self, records: Any) -> None:
        for number, record in enumerate(records[1:-1]):
            record.metadata = {"key": "\ud800", "number": object(), "cycle": record.metadata, str(number): 2**80}


class Stage(Misbehaving):
    @hookimpl
    def normalize(self, batch: Any) -> None:
        self.misbehave(list(batch))

    def garbles(self, records: Any) -> None:
        for record in records:
            record.pattern, record.tags, record.level = 5, ["no", "tuple"], None

    def garbles_one(self, records: Any) -> None:
        record = records[len(records) // 2]
        record.pattern, record.tags = {"not": "hashable"}, (1, 2)

    def garbles_deeply(self, records: Any) -> None:
        cycle: dict[Any, Any] = {}
        cycle["cycle"] = cycle
        for number, record in enumerate(records[1:-1]):
            record.metadata = ({number: 1}, {"key": "\ud800"}, {"object": object()}, cycle)[number % 4]
            record.category = "\ud800"


class Sink(Misbehaving):
    @hookimpl
    async def on_flush(self, flush: Any) -> None:
        await asyncio.sleep(0)
        waits = self.misbehave(flush)
        if waits is not None:
            await waits

    def changes(self, flush: Any) -> None:
        for aggregate in flush.aggregates:
            aggregate.tags["changed"] = 1
            aggregate.metadata.clear()

    def assigns(self, flush: Any) -> None:
        flush.aggregates[0].count = 0

    async def waits(self, _: Any) -> None:
        await asyncio.sleep(3600)

    async def does_not_end(self, _: Any) -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue


class Witness:
    """A good sink behind the bad one: it complains about aggregates that somebody has changed."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config: Config) -> None:
        self.config = config

    @hookimpl
    async def on_flush(self, flush: Any) -> None:
        await asyncio.sleep(0.03)  # the bad one has its turn meanwhile
        for aggregate in flush.aggregates:
            if "changed" in aggregate.tags or not aggregate.count:
                raise AssertionError("somebody changed the flush")
