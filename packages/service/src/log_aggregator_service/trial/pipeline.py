"""Which pipeline is tried: that of the file, with a plugin in a single file beside it."""

from __future__ import annotations

import re
from pathlib import Path

from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.configured import read_pipeline


def entries_of(settings: Settings, path: Path | None, plugin: Path | None) -> list[PluginEntry]:
    """The entries of the file `path`, or of the pipeline that a service would run.

    `plugin` takes the place of the entry with its name, or stands behind all.

    Raises `ConfigError` when a file is missing or wrong.
    """
    entries = read_pipeline(settings, path).entries
    if plugin is None:
        return entries
    if not plugin.is_file():
        raise ConfigError(f"--plugin {plugin}: no such file; expected a Python file with a plugin")
    name = re.sub(r"[^a-z0-9_-]", "_", plugin.stem.lower())
    if any(entry.name == name for entry in entries):
        changed = {"file": plugin, "enabled": True, "when": None, "unless": None}
        return [entry.model_copy(update=changed) if entry.name == name else entry for entry in entries]
    return [*entries, PluginEntry(name=name, where=f"--plugin {plugin}", file=plugin)]
