"""The stages without a service: records in, patterns out, with what the stages know after the last one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from log_aggregator.aggregate import Alias
from log_aggregator.errors import LogAggregatorError, Reject
from log_aggregator.record import Record, pattern_id

if TYPE_CHECKING:
    from log_aggregator.aggregate import Anomaly
    from log_aggregator.registry import Plugin, Registry
    from log_aggregator.settings import Settings
    from log_aggregator.store import Store

Final = dict[str | None, tuple[str, str]]
"""What a record's pattern text stands for after the last record: id and pattern. `None`: the record was refused."""

REFUSED = ("-", "")
"""Id and pattern of a record that an `on_ingest` stage did not want."""


def find_patterns(
    registry: Registry, settings: Settings, batches: Iterable[list[Record]]
) -> tuple[list[str | None], Final]:
    """Run `on_ingest` and `normalize` over batches of records.

    Returns the pattern that each record got, in order, and what every such text stands for after the
    last record, aliases applied. Sinks are not called. Raises `LogAggregatorError` when a stage fails.
    """
    return asyncio.run(_find_patterns(registry, settings, batches))


async def _find_patterns(
    registry: Registry, settings: Settings, batches: Iterable[list[Record]]
) -> tuple[list[str | None], Final]:
    guards, stages = registry.with_hook("on_ingest"), registry.with_hook("normalize")
    found: list[str | None] = []
    aliases: list[Alias] = []
    with tempfile.TemporaryDirectory(prefix="log-aggregator-") as directory:
        async with AsyncExitStack() as stack:
            for plugin in _living(registry):
                handle = _Handle(settings, Path(directory), aliases)
                await stack.enter_async_context(plugin.hooks["lifespan"](service=handle))
            for records in batches:
                found += _patterns_of(records, guards, stages)
                await asyncio.sleep(0)
    return found, _final(set(found), aliases)


def _living(registry: Registry) -> list[Plugin]:
    """The plugins that live around their stages. A sink that is no stage is not opened."""
    stages = {plugin.name for hook in ("on_ingest", "normalize") for plugin in registry.with_hook(hook)}
    return [plugin for plugin in registry.with_hook("lifespan") if plugin.name in stages]


def _patterns_of(records: list[Record], guards: list[Plugin], stages: list[Plugin]) -> list[str | None]:
    kept = records
    for plugin in guards:
        kept = _guarded(plugin, kept)
    for plugin in stages:
        _call(plugin, "normalize", kept)
    if kept is records:
        return [record.pattern or record.message for record in records]
    taken = {id(record) for record in kept}
    return [(record.pattern or record.message) if id(record) in taken else None for record in records]


def _guarded(plugin: Plugin, records: list[Record]) -> list[Record]:
    left = records
    while left:
        try:
            result = _call(plugin, "on_ingest", left)
        except Reject as verdict:
            left = [record for record in left if verdict.record is not None and record is not verdict.record]
        else:
            return left if result is None else result
    return left


def _call(plugin: Plugin, hook: str, records: list[Record]) -> Any:
    try:
        return plugin.hooks[hook](records=records)
    except LogAggregatorError:
        raise
    except Exception as error:
        raise LogAggregatorError(f"plugin {plugin.name}: {hook} failed: {type(error).__name__}: {error}") from error


def _final(texts: set[str | None], aliases: list[Alias]) -> Final:
    final: Final = {text: REFUSED if text is None else (pattern_id(text), text) for text in texts}
    if aliases:
        from log_aggregator.storekit import resolve_aliases  # noqa: PLC0415  many runs have none

        resolved = resolve_aliases(aliases)
        for text, (old_id, _) in final.items():
            end = resolved.get(old_id)
            if end is not None and end.final_pattern is not None:
                final[text] = (end.final_id, end.final_pattern)
    return final


class _Handle:
    """Implements `hookspecs.Service` where there is none: keeps aliases, takes everything else and does nothing."""

    store: Store | None = None
    instance = "offline"

    def __init__(self, settings: Settings, data_dir: Path, aliases: list[Alias]) -> None:
        self.settings = settings
        self.data_dir = self.shared_dir = data_dir
        self._aliases = aliases

    def emit(self, event: Alias | Anomaly) -> None:
        """Keep an alias."""
        if isinstance(event, Alias):
            self._aliases.append(event)

    async def ingest(self, records: list[Record]) -> int:
        """Refuse: there is no journal."""
        raise LogAggregatorError(f"{len(records)} records: nothing is ingested without a service")

    def add_route(self, *_: object) -> None:
        """No HTTP here."""

    def add_health_check(self, *_: object) -> None:
        """Nobody asks."""

    def add_figures(self, *_: object) -> None:
        """Nobody asks."""

    def register_store(self, *_: object) -> None:
        """Nothing is stored."""

    def stats(self) -> dict[str, Any]:
        """No figures."""
        return {}


def explain(registry: Registry, message: str) -> Mapping[tuple[int, int], tuple[str, str]]:
    """Which rule took which span of a message: (start, end) → (rule, placeholder).

    Asks the first plugin that has a method `explain(message)`, which returns tuples (rule, start, end,
    placeholder). Raises `LogAggregatorError` when no plugin has one.
    """
    for plugin in registry.plugins:
        ask = getattr(plugin.instance, "explain", None)
        if callable(ask):
            return {(start, end): (rule, placeholder) for rule, start, end, placeholder in ask(message)}
    raise LogAggregatorError("no plugin of the pipeline explains its rules; the plugin 'patterns' does")
