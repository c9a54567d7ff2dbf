"""The pipeline that runs where no `plugins.toml` exists: a fixed list of the project's own plugins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from log_aggregator.config.pipeline import PluginEntry

NAME = "the built-in pipeline"
"""What messages call it, in place of a file's name."""

HEAD = "# The pipeline, read from top to bottom. `log-aggregator check` says whether it is right.\n"

_COLUMN = 33


class DefaultPlugin(NamedTuple):
    """A plugin of the built-in pipeline: its table, what it is for, and whether it changes records."""

    name: str
    purpose: str
    options: Mapping[str, Any] = {}
    is_stage: bool = False


DEFAULT_PLUGINS = (
    DefaultPlugin("formats", "what a message is: JSON, logfmt, prefixes, access logs, traces", is_stage=True),
    DefaultPlugin("redact", "passwords, keys and card numbers never reach the disk", is_stage=True),
    DefaultPlugin("classify", "category, tags, and stack traces by what raised them", is_stage=True),
    DefaultPlugin("patterns", "User 123 logged in -> User {ID} logged in", is_stage=True),
    DefaultPlugin("templates", "finds the words that vary where no rule knows them", is_stage=True),
    DefaultPlugin("sqlite", "the embedded store: nothing to set up", {"unless": "POSTGRES_HOST"}),
    DefaultPlugin("postgres", "instead of it when POSTGRES_HOST is set", {"when": "POSTGRES_HOST"}),
    DefaultPlugin(
        "analytics",
        "forwards the aggregates; a full lane drops and counts, it never refuses logs",
        {"when": "ANALYTICS_NODE_URL", "required": False},
    ),
    DefaultPlugin("trends", "anomalies: new, spiking, silent", {"required": False}),
    DefaultPlugin("prometheus", "GET /metrics"),
    DefaultPlugin("dashboard", "the page at /"),
    DefaultPlugin("help", "the documentation at /help, without internet"),
)


def default_entries(installed: Collection[str]) -> list[PluginEntry]:
    """The entries of the built-in pipeline whose plugins are installed, in order."""
    return [
        PluginEntry(name=plugin.name, where=f"{NAME} [plugins.{plugin.name}]", **plugin.options)
        for plugin in DEFAULT_PLUGINS
        if plugin.name in installed
    ]


STAGES = frozenset(plugin.name for plugin in DEFAULT_PLUGINS if plugin.is_stage)
"""Plugins of the built-in pipeline that change records: all that a command needs which stores nothing."""


def default_text(installed: Collection[str]) -> str:
    """The built-in pipeline as the text of a `plugins.toml`; plugins that are not installed are comments."""
    return HEAD + "".join(_table(plugin, plugin.name in installed) for plugin in DEFAULT_PLUGINS)


def _table(plugin: DefaultPlugin, is_installed: bool) -> str:
    head = f"[plugins.{plugin.name}]".ljust(_COLUMN)
    if not is_installed:
        return f"\n# {head}# not installed: pip install log-aggregator-{plugin.name}\n"
    options = "".join(f"{key} = {_toml(value)}\n" for key, value in plugin.options.items())
    return f"\n{head}# {plugin.purpose}\n{options}"


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
