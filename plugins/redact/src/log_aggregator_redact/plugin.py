"""The `on_ingest` stage: which records of a batch need a closer look, and what is replaced in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from log_aggregator import Batch, Group, Record, Service, hookimpl, shapes_of
from log_aggregator.model.batch import outlined
from log_aggregator.model.group import outline_of_group
from log_aggregator_redact import config as settings
from log_aggregator_redact.metadata import redact_metadata
from log_aggregator_redact.short_fields import MASKED_LEVEL, is_secret_level, redacted_source
from log_aggregator_redact.suspects import Suspects
from log_aggregator_redact.texts import Texts
from log_aggregator_redact.values import prepare

_LEVELS_KNOWN = 1000
_SOURCES_KNOWN = 10_000


class RedactPlugin:
    """Masks secrets in messages, metadata, sources and levels."""

    Config = settings.Config
    on_error = "refuse"

    def __init__(self, config: settings.Config) -> None:
        self._texts = Texts(config.built_in(), config.rules, config.cards, config.off)
        self._suspects = Suspects(self._texts.redact, self._texts.passes_a_gate, config.keys, config.allow_keys)
        self._plain_levels: set[str] = set()
        self._plain_sources: set[str] = set()
        self._records = 0

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        """Mask what is secret. Metadata is replaced, never changed: records may share it."""
        groups = outlined(batch)
        self._redact_short_fields(groups)
        self._records += self._redact_metadata(groups) + self._redact_messages(batch, groups)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Show at `GET /stats` how often each rule found something; never what it found."""
        service.add_stats("redact", self.figures)
        await asyncio.to_thread(prepare)
        await asyncio.to_thread(self._texts.prepare)
        yield

    def figures(self) -> dict[str, Any]:
        """Records changed, and masks set by rule, since the start."""
        return {"records": self._records, "masked": dict(sorted(self._texts.found.items()))}

    def redact_record(self, record: Record) -> None:
        """Mask one record directly, without gates for the batch: what `on_ingest` must come to as well."""
        record.message = self._texts.redact(record.message)
        record.source = redacted_source(record.source, self._texts.redact)
        if is_secret_level(record.level, self._texts.redact):
            record.level = MASKED_LEVEL
        if record.metadata:
            record.metadata = self._masked(record.metadata)

    def _redact_short_fields(self, groups: Sequence[Group]) -> None:
        doubtful = self._doubtful_sources({group.source for group in groups})
        if doubtful:
            for group in groups:
                if group.source in doubtful:
                    group.source = redacted_source(group.source, self._texts.redact)
        for level in {group.level for group in groups} - self._plain_levels:
            if is_secret_level(level, self._texts.redact):
                for group in groups:
                    if group.level == level:
                        group.level = MASKED_LEVEL
            elif len(self._plain_levels) < _LEVELS_KNOWN:
                self._plain_levels.add(level)

    def _doubtful_sources(self, sources: set[str]) -> set[str]:
        """The sources that may hold a secret. New ones are looked at together, by their shapes: a client may bring
        thousands."""
        fresh = list(sources - self._plain_sources)
        if not fresh:
            return set()
        doubtful = {fresh[place] for place in self._texts.doubtful(shapes_of(fresh))}
        if len(self._plain_sources) + len(fresh) > _SOURCES_KNOWN:
            self._plain_sources.clear()
        self._plain_sources.update(source for source in fresh if source not in doubtful)
        return doubtful

    def _redact_messages(self, batch: Batch, groups: Sequence[Group]) -> int:
        of_outlines = [group for group in groups if outline_of_group(group)]
        others = [group for group in groups if not outline_of_group(group)] if of_outlines else groups
        doubtful = self._texts.doubtful([group.shape for group in others])
        messages = [message for index in doubtful for message in others[index].messages]
        if of_outlines:
            outlines = [group.shape for group in of_outlines]
            messages += self._texts.doubtful_of_outlines(outlines, [group.messages for group in of_outlines])
        masked = {message: text for message in messages if (text := self._texts.redact(message)) != message}
        if not masked:
            return 0
        changed = [record for record in batch if record.message in masked]
        for record in changed:
            record.message = masked[record.message]
        return len(changed)

    def _redact_metadata(self, groups: Sequence[Group]) -> int:
        found = [metadata for group in groups for metadata in group.metadata]
        if not any(found) or self._holds_nothing_secret(found):
            return 0
        masked = {place: self._masked(found[place]) for place in self._places_to_look_at(found)}
        changed = {place: metadata for place, metadata in masked.items() if metadata != found[place]}
        if changed:
            place = 0
            for group in groups:
                places = range(place, place + len(group.metadata))
                group.metadata = [changed.get(place) or found[place] for place in places]
                place = places.stop
        return len(changed)

    def _holds_nothing_secret(self, found: list[Mapping[str, Any]]) -> bool:
        """Whether one look at all keys and all distinct values is enough: most metadata is flat and has few of both."""
        try:
            values = set(chain.from_iterable([metadata.values() for metadata in found]))
        except (TypeError, AttributeError):  # something nested, or no metadata at all
            return False
        if not self._suspects.are_harmless(set().union(*found), values):
            return False
        return not self._texts.doubtful(shapes_of([value for value in values if type(value) is str]))

    def _places_to_look_at(self, found: list[Mapping[str, Any]]) -> set[int]:
        """Which metadata may hold something secret."""
        texts: list[str] = []
        owners: list[int] = []
        look: set[int] = set()
        self._suspects.begin(found)
        for place, metadata in enumerate(found):
            before = len(texts)
            if metadata and self._suspects.gather(metadata, texts):
                look.add(place)
            owners += [place] * (len(texts) - before)
        if texts:
            look.update([owners[position] for position in self._texts.doubtful(shapes_of(texts))])
        return look

    def _masked(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        return redact_metadata(metadata, self._texts.redact, self._suspects.kind_of)
