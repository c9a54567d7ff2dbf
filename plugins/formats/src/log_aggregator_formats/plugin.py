"""The `on_ingest` stage: which messages are of a format, remembered by shape, and what is lifted out of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, tzinfo
from typing import Any, get_args
from zoneinfo import ZoneInfo

from log_aggregator import Batch, Group, Record, Service, hookimpl
from log_aggregator.model.fields import sources
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator_formats import config as settings
from log_aggregator_formats.found import Found
from log_aggregator_formats.recognise import Recogniser, Way
from log_aggregator_formats.routes import BEGINNINGS, Routes

RECEIPT_SECONDS = 5
"""A record whose time is that close before now has the time of receipt: no client sent one, or one that says the same."""

MEMO_CHARACTERS = 4_000_000
"""What the memo of plain shapes holds at most; then it starts anew."""

LONGEST_SHAPE = 4096
"""Characters of a shape that is remembered."""


class FormatsPlugin:
    """Lifts level, time, source and fields out of messages: JSON, logfmt, prefixed lines, access logs."""

    Config = settings.Config
    on_error = "continue"

    def __init__(self, config: settings.Config) -> None:
        zone: tzinfo = UTC if config.timezone == "UTC" else ZoneInfo(config.timezone)
        off = frozenset(config.off)
        every = frozenset(get_args(settings.FormatName))
        self._recogniser = Recogniser(config.outcomes, off, zone)
        self._of_source = {
            source: Recogniser(config.outcomes, every - set(names), zone) for source, names in config.sources.items()
        }
        self._takes_source = config.source
        self._has_routes = "access" not in config.off
        self._routes = Routes()
        self._plain: set[str] = set()
        self._ways: dict[str, Way] = {}
        self._remembered = 0
        self._lifted = 0

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        """Lift what is there; a batch of plain sentences costs one look at its shapes."""
        plain = self._plain
        if self._of_source:
            doubtful = [one for one in batch.groups() if one.source in self._of_source or one.shape not in plain]
        else:
            doubtful = [one for one in batch.groups() if one.shape not in plain]
        if not doubtful:
            return
        now = time.time_ns() // 1000
        lifted: dict[str, dict[str, Found]] = {}
        for group in doubtful:
            self._look_at(group, now, lifted)
        if lifted:
            for record in batch:
                of_source = lifted.get(record.source)
                found = of_source.get(record.message) if of_source is not None else None
                if found is not None:
                    self._assign(record, found)

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Give requests the pattern of their route: `200 GET /orders/{ID}`."""
        if not self._has_routes:
            return
        for group in batch.groups():
            if group.shape[:4] not in BEGINNINGS:
                continue
            for pattern, part in group.split([self._routes.pattern_of(message) for message in group.messages]):
                if pattern:
                    part.pattern = pattern
                    part.pattern_is_final = True

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Show at `GET /stats` how many messages were lifted."""
        service.add_stats("formats", self.figures)
        yield

    def figures(self) -> dict[str, Any]:
        """Messages out of which something was lifted, since the start."""
        return {"lifted": self._lifted}

    def _look_at(self, group: Group, now: int, lifted: dict[str, dict[str, Found]]) -> None:
        """Recognise the messages of a group. How one was is remembered by their shape."""
        recogniser = self._of_source.get(group.source, self._recogniser)
        shape = group.shape
        way = self._ways.get(shape) if recogniser is self._recogniser else None
        known: dict[str, Found] | None = None
        for message in group.messages:
            if known is not None and message in known:
                continue
            found = recogniser.follow(way, message, now) if way is not None else None
            if found is None:
                told = recogniser.recognise(message, now)
                if told is None:
                    if known is None and recogniser is self._recogniser:
                        self._remember(shape)
                        return
                    continue
                found, way = told
                if recogniser is self._recogniser:
                    self._remember(shape, way)
            if known is None:
                known = lifted.setdefault(group.source, {})
            known[message] = found

    def _remember(self, shape: str, way: Way | None = None) -> None:
        """Remember how messages of a shape are read; without a way that they are plain sentences."""
        if len(shape) > LONGEST_SHAPE:
            return
        self._remembered += len(shape) + 64
        if self._remembered > MEMO_CHARACTERS:
            self._plain.clear()
            self._ways.clear()
            self._remembered = len(shape) + 64
        if way is None:
            self._plain.add(shape)
        else:
            self._ways[shape] = way

    def _assign(self, record: Record, found: Found) -> None:
        self._lifted += 1
        record.message = found.text
        if found.level and not record.level_is_explicit:
            record.level = found.level
            record.level_is_explicit = True
        elif found.level and found.level != record.level:
            found.fields.setdefault("level_in_message", found.level)
        if found.timestamp and 0 <= found.now - record.timestamp < RECEIPT_SECONDS * 1_000_000:
            record.timestamp = found.timestamp
        source = found.source or str(found.fields.get("logger", ""))
        if source and self._takes_source and record.source in (sources.DEFAULT, "-"):
            record.source = sources.name(source)
            if not found.source:
                found.fields.pop("logger", None)
        elif found.source and found.source != record.source:
            found.fields.setdefault("source", found.source)
        if found.fields:
            metadata = found.fields | record.metadata if record.metadata else found.fields.copy()
            record.metadata = bounded(metadata, Limits()) if found.is_foreign or record.metadata else metadata
