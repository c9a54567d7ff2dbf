"""`plugins.toml` → which plugins run, in which order, with which options."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator.config.settings import nearest
from log_aggregator.errors import ConfigError


class PluginEntry(BaseModel):
    """One `[plugins.<name>]` table: what the host reads of it, and the plugin's own `options`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    where: str
    enabled: bool = True
    when: str | None = Field(None, description="on only when this environment variable is set")
    unless: str | None = Field(None, description="off when this environment variable is set")
    required: bool = Field(True, description="a sink: false lets a full lane drop and count instead of refusing logs")
    on_error: Literal["continue", "wait", "refuse"] | None = Field(
        None, description="a stage that fails: its records go on without it, wait for it, or are refused"
    )
    isolated: bool = Field(False, description="a stage: run it in a process of its own")
    isolated_deadline: float = Field(5.0, gt=0, le=600, description="an isolated stage: seconds for one batch")
    isolated_memory_mib: int = Field(512, ge=64, description="an isolated stage: memory its process may have")
    options: dict[str, Any] = {}

    def why_off(self, environ: Mapping[str, str]) -> str | None:
        """Why this plugin does not run in this environment; `None` when it does."""
        if not self.enabled:
            return "enabled = false"
        if self.when and not environ.get(self.when):
            return f"{self.when} is not set"
        if self.unless and environ.get(self.unless):
            return f"{self.unless} is set"
        return None


HOST_KEYS = frozenset(PluginEntry.model_fields) - {"name", "where", "options"}


def read_plugins_file(path: Path) -> list[PluginEntry]:
    """Read the pipeline from a file. Raises `ConfigError` when it is missing or wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; it names the pipeline. "
            "log-aggregator config --write FILE writes one with the built-in pipeline"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return parse_plugins(text, path.name)


def parse_plugins(text: str, where: str = "plugins.toml") -> list[PluginEntry]:
    """Read the pipeline from TOML text; `where` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from None
    for key in document:
        if key != "plugins":
            raise ConfigError(f"{where} {key}: unknown table; expected [plugins.<name>]{nearest(key, ['plugins'])}")
    plugins = document.get("plugins", {})
    if not isinstance(plugins, dict):
        raise ConfigError(f"{where} plugins: expected tables [plugins.<name>]")
    return [_entry(name, table, f"{where} [plugins.{name}]") for name, table in plugins.items()]


def _entry(name: str, table: Any, where: str) -> PluginEntry:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table, found {table!r}; write [plugins.{name}]")
    host = {key: value for key, value in table.items() if key in HOST_KEYS}
    options = {key: value for key, value in table.items() if key not in HOST_KEYS}
    try:
        return PluginEntry(name=name, where=where, options=options, **host)
    except ValidationError as error:
        raise ConfigError(describe(error, where, PluginEntry)) from None


def describe(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """An error of a plugin's options in the house's form, a line a problem: where · what · expected.

    Values are not repeated: a wrong value may be a password.
    """
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            *path, last = problem["loc"]
            known = _keys_at(model, path)
            hint = nearest(str(last), known) or f"; expected one of: {', '.join(known) or 'no options'}"
            lines.append(f"{where} {key}: unknown key{hint}")
        else:
            lines.append(f"{where} {key}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _keys_at(model: type[BaseModel], path: list[int | str]) -> list[str]:
    """The keys that are known where an error is: `path` leads there from the plugin's table."""
    models = [model]
    for part in path:
        models = [inner for outer in models for inner in _models_below(outer, str(part))] or models
    names = {name for one in models for name in one.model_fields}
    return sorted(names if path else names | HOST_KEYS)


def _models_below(model: type[BaseModel], field: str) -> list[type[BaseModel]]:
    known = model.model_fields.get(field)
    return list(_models_in(known.annotation)) if known else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
