"""Entry points of the group `log_aggregator.journals` → the journal that `[journal]` names, made and checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import importlib_metadata

from log_aggregator.config.journal import EMBEDDED, JournalEntry
from log_aggregator.config.settings import nearest
from log_aggregator.errors import ConfigError
from log_aggregator.journal import Journal, JournalPlace, JournalPlugin, SqlitePlugin, claim
from log_aggregator.plugins.conformance import cannot_be_imported
from log_aggregator.plugins.entry_points import imported
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.options import config_of, options_of

GROUP = "log_aggregator.journals"

KEYS = ("kind",)
"""What may stand in the table beside the options of the kind."""


class LoadedJournal(NamedTuple):
    """The journal's plugin, and the `release` it comes from; empty for the embedded one."""

    plugin: JournalPlugin
    release: str = ""


def installed_journals() -> dict[str, importlib_metadata.EntryPoint]:
    """The journals that are installed beside the embedded one, by kind. Imports none of them."""
    return {point.name: point for point in importlib_metadata.entry_points(group=GROUP)}


def load_journal(entry: JournalEntry, environ: Mapping[str, str]) -> LoadedJournal:
    """The journal of an entry, not opened yet. Raises `ConfigError` when there is none of this kind, or it is wrong."""
    if entry.kind == EMBEDDED:
        options_of(entry.where, entry.options, SqlitePlugin.Config, environ, KEYS)
        return LoadedJournal(SqlitePlugin(SqlitePlugin.Config()))
    available = installed_journals()
    point = available.get(entry.kind)
    if point is None:
        hint = nearest(entry.kind, [*available, EMBEDDED]) or f"; try: pip install log-aggregator-{entry.kind}"
        raise ConfigError(f"{entry.where} kind: no installed package has a journal {entry.kind!r}{hint}")
    try:
        factory = imported(point)
    except (Exception, SystemExit) as error:
        raise ConfigError(cannot_be_imported(entry.where, point.value, error, point.module)) from error
    release = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    return LoadedJournal(_made(entry, environ, factory, point.value), release)


@asynccontextmanager
async def open_journal(entry: JournalEntry, environ: Mapping[str, str], place: JournalPlace) -> AsyncIterator[Journal]:
    """The journal of an entry, opened; leaving closes it. Raises `ConfigError` when it cannot be used."""
    plugin = load_journal(entry, environ).plugin
    async with AsyncExitStack() as stack:
        if isinstance(plugin, SqlitePlugin):
            journal: Journal = await stack.enter_async_context(plugin.open(place))
        else:
            stack.callback((await asyncio.to_thread(claim, place.data_dir)).close)
            journal = await stack.enter_async_context(_opening(entry, plugin, place))
        yield journal


@asynccontextmanager
async def _opening(entry: JournalEntry, plugin: JournalPlugin, place: JournalPlace) -> AsyncIterator[Journal]:
    """What a plugin opens; what it raises meanwhile says where it comes from."""
    async with AsyncExitStack() as stack:
        try:
            journal = await stack.enter_async_context(plugin.open(place))
        except ConfigError as error:
            raise ConfigError(f"{entry.where}: {error}") from error
        except (Exception, SystemExit) as error:
            raised = where_raised(error, package_of(plugin))
            raise ConfigError(f"{entry.where}: cannot be opened: {raised}") from error
        yield journal


def _made(entry: JournalEntry, environ: Mapping[str, str], factory: Any, value: str) -> JournalPlugin:
    config = config_of(entry.where, factory, value)
    missing = [name for name in ("open", "check") if not callable(getattr(factory, name, None))]
    if missing:
        raise ConfigError(f"{entry.where}: {value} has no {' and no '.join(missing)}; expected those of JournalPlugin")
    options = options_of(entry.where, entry.options, config, environ, KEYS)
    try:
        made: Any = factory(options)
    except ConfigError as error:
        raise ConfigError(f"{entry.where}: {error}") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{entry.where}: cannot be set up: {where_raised(error, package_of(factory))}") from error
    plugin: JournalPlugin = made
    return plugin
