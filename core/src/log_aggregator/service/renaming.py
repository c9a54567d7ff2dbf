"""After a change of the stages: the ids of stored patterns lead to the patterns that the same logs get now.

Each stored pattern has a few of its original messages. They go through the stages as they are now; where all of them
get one pattern, and that one says no more than the old one, an alias leads from the old id to it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

from log_aggregator.errors import LogAggregatorError, OverloadedError, RetryableError
from log_aggregator.model.aggregate import Alias
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record, pattern_id
from log_aggregator.plugins.stages import Stages, StageUnavailableError
from log_aggregator.service.fingerprint import fingerprint
from log_aggregator.service.runtime import Runtime
from log_aggregator.store import PatternQuery, PatternRow, Store

FILE = "stages.fingerprint"
MOST_PATTERNS = 20_000
"""Patterns that are looked at, the newest first."""

_PAGE = 200
_RETRY = 30.0
_QUESTION = 30.0
"""Seconds that the store may take for one page."""

_PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
_LETTER = re.compile(r"[^\W_]")

log = logging.getLogger(__name__)


async def rename_patterns(runtime: Runtime) -> None:
    """Emit the aliases once after each change of the stages. Waits for a store that is out of reach."""
    store = runtime.registrations.store
    if store is None or runtime.place.number:
        return
    path = runtime.shared_dir / FILE
    now = await asyncio.to_thread(fingerprint, runtime.registry)
    if await asyncio.to_thread(_read, path) == now:
        return
    while True:
        try:
            aliases = await _aliases(runtime.stages, store)
            break
        except (RetryableError, StageUnavailableError, OverloadedError, TimeoutError):
            await asyncio.sleep(_RETRY)
        except LogAggregatorError as error:
            log.warning("stored patterns keep their ids: the stages cannot run", extra={"error": str(error)})
            return
    for alias in aliases:
        runtime.partitions.emit(alias)
    if aliases:
        await runtime.partitions.seal()
        log.info("the stages changed: stored patterns lead to new ones", extra={"patterns": len(aliases)})
    try:
        await asyncio.to_thread(path.write_text, now, "ascii")
    except OSError as error:
        log.warning("cannot be written; the next start looks again", extra={"file": str(path), "error": str(error)})


async def _aliases(stages: Stages, store: Store) -> list[Alias]:
    """Once to teach the stages that learn, once to see what each message gets then."""
    async for row in _rows(store):
        await _patterns(stages, row)
    aliases: list[Alias] = []
    at = time.time_ns() // 1000
    async for row in _rows(store):
        found = await _patterns(stages, row)
        text = found.pop() if len(found) == 1 else ""
        if not text or pattern_id(text) == row.pattern_id:
            continue
        if says_no_more(text, row.pattern) or row.count <= len(row.samples):
            at += 1
            aliases.append(Alias(row.pattern_id, text, at))
    return aliases


async def _rows(store: Store) -> AsyncIterator[PatternRow]:
    cursor = None
    for _ in range(MOST_PATTERNS // _PAGE):
        async with asyncio.timeout(_QUESTION):
            page = await store.patterns(PatternQuery(limit=_PAGE, cursor=cursor))
        for row in page.patterns:
            yield row
        cursor = page.cursor
        if cursor is None:
            return


async def _patterns(stages: Stages, row: PatternRow) -> set[str]:
    """What the messages of a pattern get now; empty when a stage refuses one of them."""
    source = next(iter(row.sources), "")
    level = next(iter(row.levels), "INFO")
    at = row.last_seen
    records = [Record(message, level, source, at, {}) for message in row.samples]
    if not records:
        return set()
    batch, _ = stages.guard(WorkingBatch(records))
    if batch.size < len(records):
        return set()
    if stages.has_isolated:
        await stages.process_with_isolated(batch)
    else:
        stages.process(batch)
    await asyncio.sleep(0)
    return {record.pattern or record.message for record in batch.records()}


def says_no_more(text: str, earlier: str) -> bool:
    """Is every word of `text` in the earlier pattern, in order, and what `text` lacks no word?

    A pattern that kept a word where the earlier one had a placeholder stands for less: its rows may be others'.
    """
    first, *others = _PLACEHOLDER.split(text)
    start = earlier.find(first)
    end = start + len(first)
    for part in others:
        if start < 0 or (part and (end := earlier.find(part, end + 1) + len(part)) < len(part)):
            return False
    if others and not others[-1]:
        end = len(earlier)
    outside = earlier[:start] + earlier[end:]
    return start >= 0 and not _LETTER.search(_PLACEHOLDER.sub("", outside))


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
