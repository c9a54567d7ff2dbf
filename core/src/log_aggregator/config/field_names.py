"""`[fields]` of plugins.toml: own names for the field table, and its switch."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from log_aggregator.config.settings import nearest
from log_aggregator.errors import ConfigError
from log_aggregator.model.fields.table import FieldTable

_FIELDS = ("message", "level", "source", "timestamp", "stack")


def read_fields(path: Path) -> FieldTable:
    """The field table as a plugins file has it; the default one without a file or a `[fields]` table.

    Raises `ConfigError`.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):  # who reads the pipeline says so
        return FieldTable()
    return parse_fields(document.get("fields", {}), f"{path.name} [fields]")


def parse_fields(table: Any, where: str) -> FieldTable:
    """The field table with the names of a TOML table before its own. Raises `ConfigError`."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table, found {table!r}")
    names: dict[str, tuple[str, ...]] = {}
    enabled = True
    for key, value in table.items():
        if key == "enabled":
            if not isinstance(value, bool):
                raise ConfigError(f"{where} enabled: expected true or false")
            enabled = value
        elif key not in _FIELDS:
            known = [*_FIELDS, "enabled"]
            raise ConfigError(f"{where} {key}: unknown key{nearest(key, known) or f'; expected one of: {known}'}")
        else:
            names[key] = _names(value, f"{where} {key}")
    return FieldTable()._replace(enabled=enabled).with_names(names)


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ConfigError(f'{where}: expected a list of names, such as ["prio"]')
    return tuple(value)
