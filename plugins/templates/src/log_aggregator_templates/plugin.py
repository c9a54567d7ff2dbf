"""The plugin: the stage that sets the template, the aliases it emits, and its file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Batch, Group, Service, hookimpl, pattern_id
from log_aggregator.sinks import Alias
from log_aggregator_templates.exclusions import Exclusions
from log_aggregator_templates.miner import TemplateMiner
from log_aggregator_templates.saved import UnreadableError, load, snapshot, write
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import cut

log = logging.getLogger(__name__)


class TemplatesConfig(BaseModel):
    """Options of the templates plugin."""

    model_config = ConfigDict(extra="forbid")

    max_templates: int = Field(10_000, ge=10, le=1_000_000, description="templates kept; beyond: the overflow pattern")
    max_per_source: int = Field(2_000, ge=10, description="templates that one source may bring in")
    exclude_sources: list[str] = Field([], description="sources that keep the patterns of the rules; * is allowed")
    exclude_patterns: list[str] = Field([], description="patterns whose lines keep the pattern of the rules")
    save_every: float = Field(60.0, gt=0, description="seconds between two writes of what was learned")


class Templates:
    """Replaces what was learned to vary: `session opened for alice` → `session opened for {VAR}`."""

    Config = TemplatesConfig
    on_error = "wait"

    def __init__(self, config: TemplatesConfig) -> None:
        self._config = config
        self._exclusions = Exclusions(config.exclude_sources, config.exclude_patterns)
        self._service: Service | None = None
        self._last = 0
        self._kept: set[str] = set()
        self.miner = TemplateMiner(
            config.max_templates, config.max_per_source, exclusions=self._exclusions, on_change=self._changed
        )

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Replace the masked text of all records by its template."""
        for group in batch.groups():
            if group.pattern:
                self._generalize(group, group.pattern)
            else:
                for message, part in group.split(group.messages):
                    self._generalize(part, message)

    def _generalize(self, group: Group, masked: str) -> None:
        if self._exclusions.any_source and self._exclusions.source(group.source):
            self._keep(masked)
            group.pattern = masked
        else:
            group.pattern = self.miner.template(masked, group.source)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Read what was learned, emit aliases while the service runs, write what was learned."""
        path = service.data_dir / "templates.json"
        self._service = service
        await self._load(path)
        service.add_stats("templates", self._figures)
        saver = asyncio.create_task(self._save_often(path), name="templates")
        try:
            yield
        finally:
            saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saver
            await self._save(path, ended=True)
            self._service = None

    def _keep(self, masked: str) -> None:
        """Let the pattern of a source that is kept out stand alone, though others use it too."""
        if masked in self._kept or len(self._kept) >= self._config.max_templates:
            return
        self._kept.add(masked)
        if self.miner.stands_for(masked) is not None:
            self._emit(pattern_id(masked), "")

    def _changed(self, earlier: str, now: str) -> None:
        if earlier not in self._kept:
            self._emit(pattern_id(earlier), now)

    def _emit(self, old_id: str, pattern: str) -> None:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        if self._service is not None:
            self._service.emit(Alias(old_id, pattern, self._last))

    async def _load(self, path: Path) -> None:
        try:
            data = await asyncio.to_thread(path.read_bytes)
            ended = load(self.miner, data)
        except FileNotFoundError:
            return
        except (OSError, UnreadableError) as error:
            log.warning(
                "what was learned about patterns cannot be read; learning starts anew",
                extra={"error": str(error), "file": str(path)},
            )
            self.miner = TemplateMiner(
                self._config.max_templates,
                self._config.max_per_source,
                exclusions=self._exclusions,
                on_change=self._changed,
            )
            return
        self._split_back()
        if not ended:
            self._tell_again()

    def _tell_again(self) -> None:
        """Emit all aliases: those that waited for a flush when the service was killed are lost."""
        for root in self.miner.book:
            for text in root.published:
                if text != root.text:
                    self._changed(text, root.text)

    def _split_back(self) -> None:
        """Take back the merges that the configuration excludes now."""
        for root in [template for template in self.miner.book if template.root is template]:
            line = cut(root.text)
            if self._exclusions.line(line.separators, line.words):
                self._dissolve(root)

    def _dissolve(self, root: Template) -> None:
        for text in root.published:
            self._emit(pattern_id(text), "")
        self.miner.book.forget([one for one in self.miner.book if one.find() is root])

    async def _save_often(self, path: Path) -> None:
        while True:
            await asyncio.sleep(self._config.save_every)
            await self._save(path)

    async def _save(self, path: Path, ended: bool = False) -> None:
        if not self.miner.dirty and not ended:
            return
        self.miner.dirty = False
        now = snapshot(self.miner, ended)
        try:
            await asyncio.to_thread(write, path, now)
        except OSError as error:
            self.miner.dirty = True
            log.warning(
                "what was learned about patterns cannot be written", extra={"error": str(error), "file": str(path)}
            )

    def _figures(self) -> dict[str, Any]:
        return {
            "templates": self.miner.book.count,
            "generalized": self.miner.changes,
            "overflowed": self.miner.overflowed,
        }
