"""The field table: under which names JSON objects hold a record's message, level, source and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from log_aggregator.model.fields.lenient import BadLogError

Field = TypeVar("Field")

STREAMS = frozenset({"stdout", "stderr"})
"""What Docker's drivers call `source`: a stream, not who logged."""


class FieldTable(NamedTuple):
    """For each field the names it is looked for under; the first that holds something usable is taken.

    A name with dots matches a key with dots, or a path into nested objects.
    """

    message: tuple[str, ...] = ("message", "msg", "short_message", "log", "body", "text", "line")
    level: tuple[str, ...] = ("level", "severity", "lvl", "log.level", "severity_text", "levelname", "loglevel")
    source: tuple[str, ...] = ("service.name", "source", "service", "app", "application", "logger", "name", "hostname")
    timestamp: tuple[str, ...] = ("@timestamp", "timestamp", "time", "ts", "date", "datetime")

    def with_names(self, more: Mapping[str, tuple[str, ...]]) -> FieldTable:
        """The table with more names, which come before its own. Raises `ValueError` for a field that it has not."""
        for field in more:  # `_replace` raises another exception in each version of Python
            if field not in self._fields:
                raise ValueError(f"{field}: unknown field; expected one of {', '.join(self._fields)}")
        return self._replace(**{field: (*names, *getattr(self, field)) for field, names in more.items()})


def take(log: dict[str, Any], names: tuple[str, ...], convert: Callable[[Any], Field | None]) -> Field | None:
    """The first of the names whose value `convert` takes, converted; it is removed from `log`.

    `convert` returns `None` or raises `BadLogError` for what it cannot use: that stays where it is. Nested objects
    of `log` are replaced, not changed.
    """
    for name in names:
        for path in _paths(log, name):
            try:
                value = convert(_value_at(log, path))
            except BadLogError:
                continue
            if value is not None:
                _remove(log, path)
                return value
    return None


def _paths(log: dict[str, Any], name: str) -> Iterator[tuple[str, ...]]:
    if name in log:
        yield (name,)
    if "." in name:
        outer, _, inner = name.partition(".")
        nested = log.get(outer)
        if isinstance(nested, dict):
            for path in _paths(nested, inner):
                yield (outer, *path)


def _value_at(log: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = log
    for key in path:
        value = value[key]
    return value


def _remove(log: dict[str, Any], path: tuple[str, ...]) -> None:
    key, *rest = path
    if rest:
        nested = dict(log[key])
        _remove(nested, tuple(rest))
        if nested:
            log[key] = nested
            return
    del log[key]
