"""The plugin: the stage that sets the template, the aliases it emits, and its file."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Batch, Group, Service, hookimpl, pattern_id
from log_aggregator.model.batch import outlined
from log_aggregator.sinks import Alias
from log_aggregator_templates.calls import Calls
from log_aggregator_templates.correction_file import CorrectionFile
from log_aggregator_templates.corrections import Correction, Corrections, Wish
from log_aggregator_templates.exclusions import Exclusions
from log_aggregator_templates.miner import OVERFLOW, TemplateMiner
from log_aggregator_templates.saved import UnreadableError, load, snapshot, write
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import cut
from log_aggregator_templates.why import sentences, why

log = logging.getLogger(__name__)

_LOOK_EVERY = 2.0
"""Seconds between two looks for corrections that another worker was told."""


class TemplatesConfig(BaseModel):
    """Options of the templates plugin."""

    model_config = ConfigDict(extra="forbid")

    max_templates: int = Field(10_000, ge=10, le=1_000_000, description="templates kept; beyond: the overflow pattern")
    max_per_source: int = Field(2_000, ge=10, description="templates that one source may bring in")
    exclude_sources: list[str] = Field([], description="sources that keep the patterns of the rules; * is allowed")
    exclude_patterns: list[str] = Field([], description="patterns whose lines keep the pattern of the rules")
    keep: list[Wish] = Field([], description="patterns whose words stay in the places of learned placeholders")
    vary: list[Wish] = Field([], description="patterns that hold for all lines that fit, from the first one on")
    save_every: float = Field(60.0, gt=0, description="seconds between two writes of what was learned")


class Templates:
    """Replaces what was learned to vary: `session opened for alice` → `session opened for {VAR}`."""

    Config = TemplatesConfig
    on_error = "wait"

    def __init__(self, config: TemplatesConfig) -> None:
        self._config = config
        self._exclusions = Exclusions(config.exclude_sources, config.exclude_patterns)
        self._corrections = Corrections(config.keep, config.vary)
        self._service: Service | None = None
        self._last = 0
        self._kept: set[str] = set()
        self.miner = TemplateMiner(
            config.max_templates, config.max_per_source, exclusions=self._exclusions, on_change=self._changed
        )

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Replace the masked text of all records by its template."""
        for group in outlined(batch):
            if group.pattern:
                self._generalize(group, group.pattern)
            else:
                for message, part in group.split(group.messages):
                    self._generalize(part, message)

    def _generalize(self, group: Group, masked: str) -> None:
        if self._corrections.any and (said := self._corrections.find(masked, group.source)) is not None:
            group.pattern = self._corrected(said, masked)
        elif self._exclusions.any_source and self._exclusions.source(group.source):
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
        file = CorrectionFile(service.shared_dir / "corrections.json")
        await self._look_for_corrections(file)
        Calls(service, file, self)
        tasks = [
            asyncio.create_task(self._save_often(path), name="templates"),
            asyncio.create_task(self._follow_corrections(file), name="corrections"),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._save(path, ended=True)
            self._service = None

    def _keep(self, masked: str) -> None:
        """Let the pattern of a source that is kept out stand alone, though others use it too."""
        if masked in self._kept or len(self._kept) >= self._config.max_templates:
            return
        self._kept.add(masked)
        if self.miner.stands_for(masked) is not None:
            self._emit(pattern_id(masked), "")

    def _corrected(self, said: Correction, masked: str) -> str:
        """The pattern of a line by what a person said; the first time with the alias that it brings."""
        pattern = said.pattern_of(masked) or masked
        if masked not in self._kept and len(self._kept) < self._config.max_templates:
            self._kept.add(masked)
            if pattern != masked and not said.sources:
                self._emit(pattern_id(masked), pattern)
            elif pattern == masked and self.miner.stands_for(masked) is not None:
                self._emit(pattern_id(masked), "")
        return pattern

    def apply(self, corrections: Sequence[Correction]) -> None:
        """Use what was said by hand from now on."""
        self._corrections.use(corrections)
        self._kept.clear()

    def why(self, pattern: str) -> list[str]:
        """Why lines are this pattern, in sentences, for `log-aggregator patterns --explain`."""
        return sentences(self.evidence(pattern))

    def evidence(self, pattern: str) -> dict[str, Any]:
        """Why lines are this pattern, see `why.why`."""
        said = self._corrections.find(pattern, "") if self._corrections.any else None
        return why(pattern, (one for one in self.miner.book if one.root is one), said)

    def text_of(self, wanted: str) -> str | None:
        """The text of a learned pattern by its id, or by that of an earlier text."""
        for root in self.miner.book:
            if any(pattern_id(text) == wanted for text in (root.text, *root.published)):
                return root.text
        return None

    def said(self, one: Correction) -> None:
        """Emit what a new correction means for what is stored: of a merge an alias; else the end of aliases."""
        if one.kind == "merge":
            self._emit(pattern_id(one.pattern), one.into)
            return
        for root in {template.find() for template in self.miner.book}:
            if root.text == one.pattern:
                for text in root.published:
                    self._emit(pattern_id(text), "")

    def taken_back(self, one: Correction, stored: Sequence[str]) -> None:
        """Emit the end of the alias of a merge, or again what was learned of a pattern."""
        if one.kind == "merge":
            self._emit(pattern_id(one.pattern), "")
            return
        roots = {template.find() for template in self.miner.book}
        for text in {*stored, *(text for root in roots if root.text == one.pattern for text in root.published)}:
            now = self.miner.template(text)
            if now not in (text, OVERFLOW):
                self._changed(text, now)

    async def _look_for_corrections(self, file: CorrectionFile) -> None:
        """Take over what another worker was told."""
        try:
            news = await asyncio.to_thread(file.news)
        except (OSError, ValueError) as error:
            log.warning("corrections cannot be read; those that are known hold on", extra={"error": str(error)})
            return
        if news is not None and tuple(news) != self._corrections.by_hand:
            self.apply(news)

    async def _follow_corrections(self, file: CorrectionFile) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            await self._look_for_corrections(file)

    def _changed(self, earlier: str, now: str) -> None:
        if earlier not in self._kept and not (self._corrections.any and self._corrections.find(earlier, "")):
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
