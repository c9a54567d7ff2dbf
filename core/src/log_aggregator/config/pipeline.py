"""`plugins.toml` → which plugins run, in which order, with which options; and its tests."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator.config.explain import describe
from log_aggregator.config.field_names import parse_fields
from log_aggregator.config.journal import JournalEntry, embedded, journal_in
from log_aggregator.config.rules import Rule, rules_in
from log_aggregator.config.settings import nearest
from log_aggregator.config.tests import ConfigTest, tests_in
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
    file: Path | None = None
    """The single file that holds the plugin, where it is not an installed package."""

    def why_off(self, environ: Mapping[str, str]) -> str | None:
        """Why this plugin does not run in this environment; `None` when it does."""
        if not self.enabled:
            return "enabled = false"
        if self.when and not environ.get(self.when):
            return f"{self.when} is not set"
        if self.unless and environ.get(self.unless):
            return f"{self.unless} is set"
        return None


HOST_KEYS = frozenset(PluginEntry.model_fields) - {"name", "where", "options", "file"}

TABLES = ("plugins", "plugins_dir", "journal", "fields", "rules", "tests")
"""What may stand at the top of the file."""


def read_plugins_file(path: Path) -> list[PluginEntry]:
    """Read the pipeline from a file. Raises `ConfigError` when it is missing or wrong."""
    return _entries(_read(path), path.name, path.parent)


def read_tests(path: Path) -> list[tuple[str, ConfigTest]]:
    """The tests that stand in a file, each with its place. Raises `ConfigError` when the file or a test is wrong."""
    return tests_in(_read(path).get("tests", []), path.name)


def read_rules(path: Path) -> list[Rule]:
    """The `[[rules]]` of a file; none where there is no file. Raises `ConfigError` when the file or a rule is wrong."""
    return [rule for _, rule in rules_in(_read(path).get("rules", []), path.name)] if path.exists() else []


def read_journal(path: Path) -> JournalEntry:
    """The `[journal]` of a file; the embedded one where there is no file or table. Raises `ConfigError`."""
    return journal_in(_read(path).get("journal", {}), path.name) if path.exists() else embedded()


def plugins_in_files(path: Path) -> dict[str, Path]:
    """The plugins in single files below the `plugins_dir` of a file. Raises `ConfigError` as `read_plugins_file`."""
    return _single_files(_read(path), path.name, path.parent)


def parse_plugins(text: str, where: str = "plugins.toml") -> list[PluginEntry]:
    """Read the pipeline from TOML text; `where` names it in errors."""
    return _entries(_parse(text, where), where, Path())


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; it names the pipeline. "
            "log-aggregator config --write FILE writes one with the built-in pipeline"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return _parse(text, path.name)


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from None
    for key in document:
        if key not in TABLES:
            hint = nearest(key, list(TABLES))
            raise ConfigError(
                f"{where} {key}: unknown table; "
                f"expected [plugins.<name>], [journal], [fields], [[rules]] or [[tests]]{hint}"
            )
    parse_fields(document.get("fields", {}), f"{where} [fields]")
    journal_in(document.get("journal", {}), where)
    return document


def _entries(document: dict[str, Any], where: str, directory: Path) -> list[PluginEntry]:
    plugins = document.get("plugins", {})
    if not isinstance(plugins, dict):
        raise ConfigError(f"{where} plugins: expected tables [plugins.<name>]")
    files = _single_files(document, where, directory)
    tests_in(document.get("tests", []), where)
    if rules_in(document.get("rules", []), where) and "trends" not in plugins:
        raise ConfigError(f"{where} [[rules]]: nothing evaluates them; add [plugins.trends]")
    return [_entry(name, table, f"{where} [plugins.{name}]", files.get(name)) for name, table in plugins.items()]


def _single_files(document: dict[str, Any], where: str, directory: Path) -> dict[str, Path]:
    """Plugin name → file, for the directory that `plugins_dir` names: relative to the file that says so."""
    named = document.get("plugins_dir")
    if named is None:
        return {}
    if not isinstance(named, str):
        raise ConfigError(f"{where} plugins_dir: expected the path of a directory, as a text")
    if not (directory / named).is_dir():
        raise ConfigError(f"{where} plugins_dir: {directory / named}: no such directory")
    return {path.stem: path for path in sorted((directory / named).glob("*.py")) if not path.stem.startswith("_")}


def _entry(name: str, table: Any, where: str, file: Path | None) -> PluginEntry:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table, found {table!r}; write [plugins.{name}]")
    host = {key: value for key, value in table.items() if key in HOST_KEYS}
    options = {key: value for key, value in table.items() if key not in HOST_KEYS}
    try:
        return PluginEntry(name=name, where=where, options=options, file=file, **host)
    except ValidationError as error:
        raise ConfigError(describe(error, where, PluginEntry)) from None
