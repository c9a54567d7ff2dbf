"""The stages without a service: records in, patterns out, with what the stages know after the last one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from log_aggregator.errors import LogAggregatorError, Reject
from log_aggregator.model.aggregate import Alias
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import DecodedRecords, Record, pattern_id
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.model.shapes import shapes_of
from log_aggregator.plugins.isolation.lifespan import contained

if TYPE_CHECKING:
    from log_aggregator.config.settings import Settings
    from log_aggregator.model.aggregate import Anomaly
    from log_aggregator.plugins.registry import Plugin, Registry
    from log_aggregator.store import Store

Final = dict[str | None, tuple[str, str]]
"""What a record's pattern text stands for after the last record: id and pattern. `None`: the record was refused."""

Spans = dict[tuple[int, int], tuple[str, str]]
"""Which rule took which span of a message: (start, end) → (rule, placeholder)."""

REFUSED = ("-", "")
"""Id and pattern of a record that an `on_ingest` stage did not want."""


Fields = tuple[str, str, int]
"""Level, source and timestamp of a record, as the stages left them."""


def find_patterns(
    registry: Registry, settings: Settings, batches: Iterable[list[Record]], fields: list[Fields] | None = None
) -> tuple[list[str | None], Final]:
    """Run `on_ingest` and `normalize` over batches of records.

    Returns the pattern that each record got, in order, and what every such text stands for after the
    last record, aliases applied. The fields of each record are added to `fields` where that is given.
    Sinks are not called. Raises `LogAggregatorError` when a stage fails.
    """
    return asyncio.run(_find_patterns(registry, settings, batches, fields))


async def _find_patterns(
    registry: Registry, settings: Settings, batches: Iterable[list[Record]], fields: list[Fields] | None
) -> tuple[list[str | None], Final]:
    stages = registry.with_hook("normalize")
    found: list[str | None] = []
    aliases: list[Alias] = []
    async with alive(registry, settings, aliases):
        for records in batches:
            shapes = shapes_of([record.message for record in records])
            batch = _kept(registry, DecodedRecords(records, shapes))
            for plugin in stages:
                _call(plugin, "normalize", batch)
            in_place = _in_place(records, batch.records())
            found += [record.pattern or record.message if record else None for record in in_place]
            if fields is not None:
                fields += [
                    (final.level, final.source, final.timestamp)
                    for final in (record or given for record, given in zip(in_place, records, strict=True))
                ]
            await asyncio.sleep(0)
    return found, final_patterns(set(found), aliases)


class Explained(NamedTuple):
    """One message as `on_ingest` made it, `None` when it was refused; which rule took which span of it; its pattern.

    `why` says why other lines have this pattern, too: what was learned, what a person said.
    """

    message: str | None
    spans: Spans
    pattern: str
    why: list[str]


def explain(registry: Registry, settings: Settings, batches: Iterable[list[Record]]) -> list[Explained]:
    """Which rule takes which span of each message, in order, and why its pattern is as it is after the last one.

    Asks the first plugin that has a method `explain(message)`, which returns tuples (rule, start, end, placeholder),
    and all that have `why(pattern)`, which returns sentences. Raises `LogAggregatorError` when no plugin explains, or
    a stage fails.
    """
    return asyncio.run(_explain(registry, settings, batches))


async def _explain(registry: Registry, settings: Settings, batches: Iterable[list[Record]]) -> list[Explained]:
    ask = next(_having(registry, "explain"), None)
    if ask is None:
        raise LogAggregatorError("no plugin of the pipeline explains its rules; the plugin 'patterns' does")
    explained: list[Explained] = []
    aliases: list[Alias] = []
    async with alive(registry, settings, aliases):
        for records in batches:
            batch = _kept(registry, records)
            in_place = [(record, record.message if record else "") for record in _in_place(records, batch.records())]
            for plugin in registry.with_hook("normalize"):
                _call(plugin, "normalize", batch)
            batch.records()
            for record, message in in_place:
                spans = {(start, end): (rule, into) for rule, start, end, into in (ask(message) if record else ())}
                pattern = (record.pattern or message) if record else ""
                explained.append(Explained(message if record else None, spans, pattern, []))
            await asyncio.sleep(0)
        final = final_patterns({one.pattern for one in explained}, aliases)
        reasons = {text: [line for why in _having(registry, "why") for line in why(text)] for _, text in final.values()}
    return [one._replace(pattern=(text := final[one.pattern][1]), why=reasons[text]) for one in explained]


def _having(registry: Registry, method: str) -> Iterator[Callable[[str], Any]]:
    """The methods of this name that plugins have."""
    return (found for plugin in registry.plugins if callable(found := getattr(plugin.instance, method, None)))


@asynccontextmanager
async def alive(
    registry: Registry, settings: Settings, aliases: list[Alias], hooks: Sequence[str] = ("on_ingest", "normalize")
) -> AsyncIterator[None]:
    """Live inside the lifespans of the plugins that have one of `hooks`, with an empty data directory.

    The aliases that they emit are added to `aliases`.
    """
    with tempfile.TemporaryDirectory(prefix="log-aggregator-") as directory:
        async with AsyncExitStack() as stack:
            for plugin in _living(registry, hooks):
                lifespan = plugin.hooks["lifespan"](service=_Handle(settings, Path(directory), aliases))
                await stack.enter_async_context(contained(plugin.entry.where, plugin.name, lifespan))
            yield


def _living(registry: Registry, hooks: Sequence[str]) -> list[Plugin]:
    """The plugins that live around their stages. A sink that is no stage is not opened."""
    stages = {plugin.name for hook in hooks for plugin in registry.with_hook(hook)}
    return [plugin for plugin in registry.with_hook("lifespan") if plugin.name in stages]


def _kept(registry: Registry, records: list[Record]) -> WorkingBatch:
    """What the `on_ingest` stages keep of some records."""
    batch = WorkingBatch(records)
    for plugin in registry.with_hook("on_ingest"):
        try:
            _call(plugin, "on_ingest", batch)
        except Reject:
            return WorkingBatch([])
        if batch.has_refused:
            batch = batch.kept()
    return batch


def _in_place(records: list[Record], kept: list[Record]) -> list[Record | None]:
    """The records that came in, with `None` for each that is not among those kept."""
    if len(kept) == len(records):
        return [*records]
    taken = {id(record) for record in kept}
    return [record if id(record) in taken else None for record in records]


def _call(plugin: Plugin, hook: str, batch: WorkingBatch) -> None:
    try:
        batch.call(hook, plugin.hooks[hook])
    except LogAggregatorError:
        raise
    except (Exception, SystemExit) as error:
        raise LogAggregatorError(f"plugin {plugin.name}: {hook} failed: {type(error).__name__}: {error}") from error


def final_patterns(texts: set[str | None], aliases: list[Alias]) -> Final:
    """What each pattern text stands for once the aliases are applied."""
    final: Final = {text: REFUSED if text is None else (pattern_id(text), text) for text in texts}
    if aliases:
        from log_aggregator.storekit import resolve_aliases  # noqa: PLC0415  many runs have none

        resolved = resolve_aliases(aliases)
        for text, (old_id, _) in final.items():
            end = resolved.get(old_id)
            if end is not None and end.final_pattern is not None:
                final[text] = (end.final_id, end.final_pattern)
    return final


class _NoState:
    """Implements `hookspecs.State` where there is no journal."""

    async def load(self) -> bytes | None:
        """Nothing was saved."""
        return None

    async def save(self, value: bytes) -> None:
        """Nothing is kept."""


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

    async def ingest(self, records: Sequence[Record], *, key: object = None, position: object = None) -> Any:
        """Refuse: there is no journal."""
        raise LogAggregatorError(f"{len(records)} records: nothing is ingested without a service")

    async def ingest_aggregates(self, sent: SentAggregates, link: Link) -> Any:
        """Refuse: there is no journal."""
        raise LogAggregatorError(
            f"{len(sent.aggregates)} aggregates of {link.name}: nothing is ingested without a service"
        )

    def position(self, name: str) -> bytes | None:
        """Nothing was read."""
        return None

    def state(self, name: str) -> _NoState:
        """Nothing is kept."""
        return _NoState()

    def run(self, *_: object, **__: object) -> None:
        """No logs are accepted, so no task starts."""

    def listen_tcp(self, *_: object, **__: object) -> None:
        """No socket is opened."""

    def listen_udp(self, *_: object, **__: object) -> None:
        """No socket is opened."""

    def add_route(self, *_: object, **__: object) -> None:
        """No HTTP here."""

    def add_health_check(self, *_: object, **__: object) -> None:
        """Nobody asks."""

    def add_stats(self, *_: object, **__: object) -> None:
        """Nobody asks."""

    def register_store(self, *_: object, **__: object) -> None:
        """Nothing is stored."""

    async def stats(self) -> dict[str, Any]:
        """No figures."""
        return {}
