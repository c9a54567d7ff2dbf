"""`[journal]` of plugins.toml: which journal keeps what is acknowledged, and its options."""

from __future__ import annotations

from typing import Any, NamedTuple

from log_aggregator.errors import ConfigError

EMBEDDED = "sqlite"
"""The journal that needs no table: one file in `DATA_DIR`."""


class JournalEntry(NamedTuple):
    """The table: which `kind` of journal, and the options of that kind. `where` names the table in errors."""

    kind: str
    options: dict[str, Any]
    where: str


def embedded(where: str = "plugins.toml") -> JournalEntry:
    """The entry where no file says another."""
    return JournalEntry(EMBEDDED, {}, f"{where} [journal]")


def journal_in(table: Any, where: str) -> JournalEntry:
    """The entry of a TOML table; `where` names its file. Raises `ConfigError`."""
    where = f"{where} [journal]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table, found {type(table).__name__}; write [journal]")
    kind = table.get("kind", EMBEDDED)
    if not isinstance(kind, str) or not kind:
        raise ConfigError(f'{where} kind: expected a text, such as "{EMBEDDED}"')
    return JournalEntry(kind, {key: value for key, value in table.items() if key != "kind"}, where)
