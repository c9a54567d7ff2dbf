"""The options of a plugin in words: name, type, default and description, read from its `Config`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from log_aggregator.hookspecs import HOOKS, PROJECT

_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "text, secret",
    type(None): "none",
    Any: "anything",
}


def first_paragraph(factory: Any) -> list[str]:
    """The beginning of the docstring of a class, a line each."""
    text = inspect.getdoc(factory) or ""
    return text.split("\n\n")[0].splitlines()


def hooks_of(factory: Any) -> list[str]:
    """The hooks of the core that a class implements."""
    return [name for name in HOOKS if hasattr(getattr(factory, name, None), f"{PROJECT}_impl")]


def described_options(factory: Any) -> list[str]:
    """A line for each option, inner ones of tables included, and one for its description."""
    config = getattr(factory, "Config", None)
    if not (inspect.isclass(config) and issubclass(config, BaseModel)):
        return ["  its class has no pydantic model `Config`"]
    return list(_lines(config, "  ")) or ["  no options"]


def _lines(config: type[BaseModel], indent: str) -> Iterator[str]:
    for name, field in config.model_fields.items():
        shown = field.alias or name
        yield f"{indent}{shown} = {_default(field)}  ({_type(field.annotation)})"
        if field.description:
            yield f"{indent}    {field.description}"
        for inner in dict.fromkeys(_models(field.annotation)):
            if inner is not config:
                yield from _lines(inner, indent + "    ")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "…, required"
    value = field.get_default(call_default_factory=True) if not _takes_data(field) else "computed"
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        return '""' if not value.get_secret_value() else "******"
    if isinstance(value, BaseModel):
        return "{ … }" if value.model_fields_set else "{}"
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except (TypeError, ValueError):
        return str(value)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _takes_data(field: FieldInfo) -> bool:
    return bool(getattr(field, "default_factory_takes_validated_data", False))


def _type(annotation: Any) -> str:  # noqa: PLR0911  one form of an annotation a line
    if annotation in _NAMES:
        return _NAMES[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin in {list, tuple, set, frozenset}:
        return f"list of {_type(inner[0])}" if inner else "list"
    if origin is dict:
        return f"table of {_type(inner[1])}" if inner else "table"
    if hasattr(annotation, "__metadata__"):
        return _type(inner[0])
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "table"
    return getattr(annotation, "__name__", str(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
