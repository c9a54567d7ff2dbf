"""Which pipeline a process runs: that of a file, or the built-in one where there is no file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from log_aggregator.config import default_pipeline
from log_aggregator.config.pipeline import PluginEntry, plugins_in_files, read_plugins_file
from log_aggregator.config.settings import Settings
from log_aggregator.plugins.entry_points import distribution_of, installed_plugins
from log_aggregator.plugins.registry import Registry


class Pipeline(NamedTuple):
    """The entries of a pipeline in order, its `name` for messages, and why other plugins are not in it.

    `file` is where it stands; `None` for the built-in one.
    """

    name: str
    entries: list[PluginEntry]
    left_out: dict[str, str]
    file: Path | None = None


def read_pipeline(settings: Settings, path: Path | None = None) -> Pipeline:
    """The pipeline of `path`, else of `PLUGINS_FILE`, else of `plugins.toml`, else the built-in one.

    `plugins.toml` may be missing; a file that was named must exist. Raises `ConfigError` for a missing or wrong file.
    """
    installed = installed_plugins()
    file = path or settings.plugins_file
    is_named = path is not None or "plugins_file" in settings.model_fields_set
    if is_named or file.exists():
        entries = read_plugins_file(file)
        reason = f"not named in {file}; add"
        others = {*installed, *plugins_in_files(file)} - _names(entries)
        left_out = {name: f"{reason} [plugins.{name}]" for name in others}
        return Pipeline(str(file), entries, left_out, file)
    entries = default_pipeline.default_entries(installed)
    left_out = {
        plugin.name: f"not installed; pip install {distribution_of(plugin.name)}"
        for plugin in default_pipeline.DEFAULT_PLUGINS
        if plugin.name not in installed
    }
    others = installed.keys() - _names(entries)
    left_out |= dict.fromkeys(sorted(others), f"no part of it; write a {file}: log-aggregator config")
    return Pipeline(default_pipeline.NAME, entries, left_out)


def load_registry(
    settings: Settings, environ: Mapping[str, str], path: Path | None = None, *, is_stored: bool = True
) -> Registry:
    """The loaded plugins of `read_pipeline`. Raises `ConfigError`.

    Without `is_stored` nothing is asked of the sinks: of the built-in pipeline only the stages are loaded, which
    takes half of the time. A file is loaded whole, so that all of it is checked.
    """
    pipeline = read_pipeline(settings, path)
    is_whole = is_stored or pipeline.file is not None
    entries = [entry for entry in pipeline.entries if is_whole or entry.name in default_pipeline.STAGES]
    return Registry(entries, environ)


def _names(entries: list[PluginEntry]) -> set[str]:
    return {entry.name for entry in entries}
