"""Which pipeline is tried: that of the file, with a plugin in a single file beside it."""

from __future__ import annotations

import re
from pathlib import Path

from log_aggregator.config.pipeline import PluginEntry, read_plugins_file
from log_aggregator.errors import ConfigError


def entries_of(path: Path, plugin: Path | None) -> list[PluginEntry]:
    """The entries of the file. `plugin` takes the place of the entry with the name of the file, or stands behind all.

    Raises `ConfigError` when a file is missing or wrong.
    """
    entries = read_plugins_file(path)
    if plugin is None:
        return entries
    if not plugin.is_file():
        raise ConfigError(f"--plugin {plugin}: no such file; expected a Python file with a plugin")
    name = re.sub(r"[^a-z0-9_-]", "_", plugin.stem.lower())
    if any(entry.name == name for entry in entries):
        changed = {"file": plugin, "enabled": True, "when": None, "unless": None}
        return [entry.model_copy(update=changed) if entry.name == name else entry for entry in entries]
    return [*entries, PluginEntry(name=name, where=f"--plugin {plugin}", file=plugin)]
