"""Nested metadata as flat columns: the values of objects under dotted keys, those of lists of objects together."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 6
"""Levels of nesting that get keys of their own; what lies deeper is one value."""

MAX_ITEMS = 16
"""Objects of a list whose fields are looked at."""


def gather_nested(columns: dict[str, list[Any]], key: str, value: dict[str, Any] | list[Any]) -> None:
    """Put the values inside of an object or list into `columns`, each key once."""
    for name, inner in _flat(key, value, MAX_DEPTH).items():
        columns.setdefault(name, []).append(inner)


def _flat(key: str, value: Any, depth: int) -> dict[str, Any]:
    if type(value) is dict and value and depth > 0:
        found: dict[str, Any] = {}
        for name, inner in value.items():
            found |= _flat(f"{key}.{name}", inner, depth - 1)
        return found
    if type(value) is list and value and depth > 0 and all(type(item) is dict for item in value):
        return _of_list(key, value[:MAX_ITEMS], depth)
    return {key: value}


def _of_list(key: str, items: list[dict[str, Any]], depth: int) -> dict[str, Any]:
    """The fields of the objects of a list: one value where all agree, else a list of the values in order."""
    together: dict[str, list[Any]] = {}
    for item in items:
        for name, inner in _flat(key, item, depth - 1).items():
            together.setdefault(name, []).append(inner)
    return {name: values[0] if all(value == values[0] for value in values) else values for name, values in together.items()} or {key: items}  # fmt: skip # noqa: E501
