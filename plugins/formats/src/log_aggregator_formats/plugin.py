"""The `on_ingest` stage: which messages are of a format, remembered by shape, and what is lifted out of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, tzinfo
from typing import Any, get_args
from zoneinfo import ZoneInfo

from log_aggregator import Batch, Group, Record, Service, hookimpl, shapes_of
from log_aggregator.model.batch import outlined
from log_aggregator.model.fields import sources
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.group import by_shape, outline_of_group
from log_aggregator_formats import config as settings
from log_aggregator_formats.found import Found
from log_aggregator_formats.layouts import Layout, has_certain_digit
from log_aggregator_formats.recognise import Recogniser, Way, is_sentence, tells_of_sentences
from log_aggregator_formats.routes import BEGINNINGS, Routes
from log_aggregator_formats.structured import PairsLayout

RECEIPT_SECONDS = 5
"""A record whose time is that close before now has the time of receipt: no client sent one, or one that says the same."""

MEMO_CHARACTERS = 4_000_000
"""What the memo of plain shapes holds at most; then it starts anew."""

LAYOUT_CHARACTERS = 1000
"""What a layout counts in the memo."""

ENOUGH = 4
"""Messages of a shape in one batch that are worth a layout."""

LONGEST_SHAPE = 4096
"""Characters of a shape that is remembered."""

_EPOCH = "0000000000"
"""What seconds since 1970 look like."""

_LIMITS = Limits()
_NO_SOURCES = (sources.DEFAULT, "-")


class FormatsPlugin:
    """Lifts level, time, source and fields out of messages: JSON, logfmt, prefixed lines, access logs."""

    Config = settings.Config
    on_error = "continue"
    on_aggregates = False  # the service that made them has lifted what there was

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
        self._sources = sources.Sources()
        self._plain: set[str] = set()
        self._ways: dict[str, Way] = {}
        self._layouts: dict[str, tuple[Layout | PairsLayout | None, Way]] = {}
        self._remembered = 0
        self._lifted = 0

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        """Lift what is there; a batch of plain sentences costs one look at its shapes."""
        plain = self._plain
        if self._of_source:
            doubtful = [one for one in batch.groups() if one.source in self._of_source or one.shape not in plain]
        else:
            doubtful = [one for one in _of_shapes(batch) if one.shape not in plain]
            doubtful = self._without_sentences(doubtful) if doubtful else doubtful
        if not doubtful:
            return
        now = time.time_ns() // 1000
        lifted: dict[str, dict[str, Found]] = {}
        for group in doubtful:
            known = lifted.get(group.source)
            if known is None:
                known = lifted[group.source] = {}
            self._look_at(group, now, known)
        if any(lifted.values()):
            assign = self._assign
            for record in batch:
                of_source = lifted.get(record.source)
                found = of_source.get(record.message) if of_source is not None else None
                if found is not None:
                    assign(record, found)

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Give requests the pattern of their route: `200 GET /orders/{ID}`."""
        if not self._has_routes:
            return
        for group in outlined(batch):
            if group.shape[:4] not in BEGINNINGS:  # of an outline too: no sign stands for a word of capital letters
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

    def _without_sentences(self, groups: list[Group]) -> list[Group]:
        """The groups without those that are plain sentences at first sight, whose shapes are remembered together."""
        ways = self._ways
        sentences = {
            shape
            for shape in {group.shape for group in groups}
            if is_sentence(shape)
            and shape not in ways
            and len(shape) <= LONGEST_SHAPE
            and not _depends_on_digits(shape)
        }
        if not sentences:
            return groups
        self._make_room(sum(map(len, sentences)) + 64 * len(sentences))
        self._plain |= sentences
        return [group for group in groups if group.shape not in sentences]

    def _look_at(self, group: Group, now: int, known: dict[str, Found]) -> None:
        """Recognise the messages of a group, and add what is in each to what is known of its source."""
        own = self._of_source.get(group.source) if self._of_source else None
        if own is None:
            self._lift(group.shape, group.messages, now, known)
            return
        for message in group.messages:
            if (told := own.recognise(message, now)) is not None:
                known[message] = told[0]

    def _lift(self, shape: str, messages: Sequence[str], now: int, known: dict[str, Found]) -> None:
        """Find what is in messages of one shape. How one was recognised is remembered by their shape."""
        recogniser = self._recogniser
        way = self._ways.get(shape)
        layout = self._layout(shape, way, messages) if way is not None else None
        for message in messages:
            if message in known:
                continue
            if layout is not None and (found := layout.read(message, now, recogniser.zone)) is not None:
                known[message] = found
                continue
            if way is not None and (found := recogniser.follow(way, message, now)) is not None:
                known[message] = found
                continue
            told = recogniser.recognise(message, now)
            if told is not None:
                known[message], new = told
                if not has_certain_digit(shape):
                    way = new
                    self._remember(shape, way)
                    layout = self._layout(shape, way, messages)
            elif way is None and not _depends_on_digits(shape):
                self._remember(shape)
                return

    def _layout(self, shape: str, way: Way, messages: Sequence[str]) -> Layout | PairsLayout | None:
        """Where messages of a shape hold their parts; looked for where there are enough to gain by it."""
        if shape in self._layouts:
            layout, of_way = self._layouts[shape]
            return layout if of_way is way else None
        if len(messages) < ENOUGH or shape not in self._ways:
            return None
        layout = self._recogniser.layout(way, messages[0])
        self._layouts[shape] = layout, way
        self._remembered += LAYOUT_CHARACTERS
        return layout

    def _remember(self, shape: str, way: Way | None = None) -> None:
        """Remember how messages of a shape are read; without a way that they are plain sentences."""
        if len(shape) > LONGEST_SHAPE:
            return
        self._make_room(len(shape) + 64)
        if way is None:
            self._plain.add(shape)
        else:
            self._ways[shape] = way

    def _make_room(self, characters: int) -> None:
        """Count what is remembered next, and forget all when it would be too much."""
        self._remembered += characters
        if self._remembered > MEMO_CHARACTERS:
            self._plain.clear()
            self._ways.clear()
            self._layouts.clear()
            self._remembered = characters

    def _assign(self, record: Record, found: Found) -> None:
        """Write to a record what its message turned out to be; other records may share it, so it stays as it is."""
        fields, level = found.fields, found.level
        record.message = found.text
        more: dict[str, Any] = {}
        if level:
            if not record.level_is_explicit:
                record.level = level
                record.level_is_explicit = True
            elif level != record.level:
                more["level_in_message"] = level
        if found.timestamp and 0 <= found.now - record.timestamp < RECEIPT_SECONDS * 1_000_000:
            record.timestamp = found.timestamp
        if self._takes_source and record.source in _NO_SOURCES:
            fields = self._name_source(record, found)
        elif found.source and found.source != record.source:
            more["source"] = found.source
        if more:
            fields = fields | more | fields
        if fields:
            metadata = fields | record.metadata if record.metadata else fields
            record.metadata = bounded(metadata, _LIMITS) if found.is_foreign or record.metadata else metadata

    def _name_source(self, record: Record, found: Found) -> dict[str, Any]:
        """Give a record that has none its source: that of the message, or its logger. The fields without it."""
        fields = found.fields
        if found.source:
            record.source = self._sources[found.source]
        elif "logger" in fields:
            logger = str(fields["logger"])
            if logger:
                fields = fields.copy()
                del fields["logger"]
                record.source = self._sources[logger]
        return fields


def _of_shapes(batch: Batch) -> list[Group]:
    """The groups that must be looked at by their shapes: all but those of outlines that are plain sentences."""
    groups = outlined(batch)
    odd = [group for group in groups if outline_of_group(group) and not _are_sentences(group)]
    for group in odd:
        by_shape(group)
    return [group for group in (outlined(batch) if odd else groups) if not outline_of_group(group)]


def _are_sentences(group: Group) -> bool:
    """Whether all messages of an outline are plain sentences at first sight."""
    messages = group.messages
    text = "\n".join(messages)
    if ("method=" in text or "debug" in text.lower()) and any(map(_depends_on_digits, shapes_of(messages))):
        return False
    if tells_of_sentences(group.shape):
        return is_sentence(group.shape)
    return all(map(is_sentence, shapes_of(messages)))


def _depends_on_digits(shape: str) -> bool:
    """Whether a message may be of a format though another of its shape is of none: by a priority, a status, a time."""
    return shape.startswith(("{", "<", _EPOCH)) or "method=" in shape or has_certain_digit(shape)
