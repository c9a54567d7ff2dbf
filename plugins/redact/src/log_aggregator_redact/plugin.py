"""The `on_ingest` stage: which records of a batch need a closer look, and what is replaced in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from log_aggregator import Alike, Batch, Record, Service, hookimpl, shapes_of
from log_aggregator_redact import config as settings
from log_aggregator_redact.metadata import SMALLEST_CARD, is_secret_key, redact_metadata
from log_aggregator_redact.texts import Texts

_KEYS_KNOWN = 10_000


class RedactPlugin:
    """Masks secrets in messages, metadata and sources."""

    Config = settings.Config

    def __init__(self, config: settings.Config) -> None:
        self._texts = Texts(config.built_in(), config.rules, config.cards)
        self._secret_keys = frozenset(key.lower() for key in config.keys)
        self._allowed_keys = frozenset(key.lower() for key in config.allow_keys)
        self._plain_keys: set[str] = set()
        self._records = 0

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        """Mask what is secret. Metadata is replaced, never changed: records may share it."""
        alike = batch.alike()
        self._redact_sources(alike)
        self._records += self._redact_metadata(alike) + self._redact_messages(batch, alike)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Show at `GET /stats` how often each rule found something; never what it found."""
        service.add_stats("redact", self.figures)
        yield

    def figures(self) -> dict[str, Any]:
        """Records changed, and masks set by rule, since the start."""
        return {"records": self._records, "masked": dict(sorted(self._texts.found.items()))}

    def redact_record(self, record: Record) -> None:
        """Mask one record directly, without gates for the batch: what `on_ingest` must come to as well."""
        record.set_message(self._texts.redact(record.message))
        record.source = self._texts.redact(record.source)
        if record.metadata:
            record.metadata = self._masked(record.metadata)

    def _redact_sources(self, alike: list[Alike]) -> None:
        sources = {same.source for same in alike}
        if not all(map(self._is_plain_text, sources - self._plain_keys)):
            for same in alike:
                same.source = self._texts.redact(same.source)

    def _redact_messages(self, batch: Batch, alike: list[Alike]) -> int:
        doubtful = self._texts.doubtful([same.shape for same in alike])
        records = [record for index in doubtful for record in alike[index].records]
        redacted = [self._texts.redact(record.message) for record in records]
        changed = [(record, text) for record, text in zip(records, redacted, strict=True) if text != record.message]
        if changed:
            batch.records()  # other messages: they may be alike in another way
        for record, text in changed:
            record.set_message(text)
        return len(changed)

    def _redact_metadata(self, alike: list[Alike]) -> int:
        found = [metadata for same in alike for metadata in same.metadata]
        masked = {place: self._masked(found[place]) for place in self._places_to_look_at(found)}
        changed = {place: metadata for place, metadata in masked.items() if metadata != found[place]}
        if changed:
            place = 0
            for same in alike:
                places = range(place, place + len(same.metadata))
                same.metadata = [changed.get(place, found[place]) for place in places]
                place = places.stop
        return len(changed)

    def _places_to_look_at(self, found: list[dict[str, Any]]) -> set[int]:
        """Which metadata may hold something secret."""
        texts: list[str] = []
        owners: list[int] = []
        look: set[int] = set()
        for place, metadata in enumerate(found):
            before = len(texts)
            if metadata and self._gather(metadata, texts):
                look.add(place)
            owners += [place] * (len(texts) - before)
        if texts:
            look.update([owners[position] for position in self._texts.doubtful(shapes_of(texts))])
        return look

    def _masked(self, metadata: dict[str, Any]) -> dict[str, Any]:
        return redact_metadata(metadata, self._texts.redact, self._key_is_secret)

    def _gather(self, value: Any, texts: list[str]) -> bool:
        """Add all texts inside to `texts`; True when something else needs a closer look."""
        look = False
        if type(value) is dict:
            plain = self._plain_keys
            for key, inner in value.items():
                if key not in plain and not self._is_plain_key(key):
                    look = True
                if type(inner) is str:
                    texts.append(inner)
                elif inner is not None and type(inner) is not bool and self._gather(inner, texts):
                    look = True
            return look
        if type(value) is str:
            texts.append(value)
            return False
        if type(value) is int:
            return value >= SMALLEST_CARD
        if isinstance(value, list | tuple):
            for item in value:
                look |= self._gather(item, texts)
            return look
        return not isinstance(value, float | bool | None)

    def _key_is_secret(self, key: str) -> bool:
        lowered = key.lower()
        return lowered in self._secret_keys or (lowered not in self._allowed_keys and is_secret_key(key))

    def _is_plain_key(self, key: str) -> bool:
        return not self._key_is_secret(key) and self._is_plain_text(key)

    def _is_plain_text(self, text: str) -> bool:
        if self._texts.redact(text) != text:
            return False
        if not self._key_is_secret(text):
            if len(self._plain_keys) >= _KEYS_KNOWN:
                self._plain_keys.clear()
            self._plain_keys.add(text)
        return True
