"""`{ env = "NAME" }` in place of an option's text: it comes from the environment, so no secret is in the file."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from log_aggregator.errors import ConfigError


def resolved(options: dict[str, Any], model: type[BaseModel], environ: Mapping[str, str], where: str) -> dict[str, Any]:
    """A plugin's options with the value of its variable in place of each reference; `model` is its `Config`.

    Where an option takes an object with a key `env`, such a table is that object. Raises `ConfigError` for a variable
    that is not set; an empty one counts as not set.
    """
    value = _Resolver(environ, where).resolve(options, [model], "")
    assert isinstance(value, dict)
    return value


class _Resolver:
    def __init__(self, environ: Mapping[str, str], where: str) -> None:
        self._environ = environ
        self._where = where

    def resolve(self, value: Any, kinds: list[Any], key: str) -> Any:
        """The value without references; `kinds` are the types that its option may have, `key` is where it stands."""
        if _is_reference(value) and kinds and not any(map(_takes_env_key, kinds)):
            return self._value(value["env"], key)
        if isinstance(value, dict):
            return {name: self.resolve(v, _field(kinds, name), f"{key}.{name}") for name, v in value.items()}
        if isinstance(value, list):
            inner = [arm for kind in kinds for part in get_args(kind) for arm in _arms(part)]
            return [self.resolve(item, inner, f"{key}.{index}") for index, item in enumerate(value)]
        return value

    def _value(self, name: str, key: str) -> str:
        text = self._environ.get(name)
        if not text:
            raise ConfigError(
                f"{self._where} {key.lstrip('.')}: the environment variable {name} is not set; "
                "expected the value of this option in it"
            )
        return text


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"env"} and isinstance(value["env"], str)


def _arms(annotation: Any) -> list[Any]:
    """The alternatives of an annotation, without `Annotated` and `None`."""
    if annotation in (None, types.NoneType, ...):
        return []
    if get_origin(annotation) is Annotated:
        return _arms(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [arm for part in get_args(annotation) for arm in _arms(part)]
    return [annotation]


def _takes_env_key(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _annotation(kind, "env") is not None
    plain = get_origin(kind) or kind
    return kind is Any or plain is object or (isinstance(plain, type) and issubclass(plain, Mapping))


def _field(kinds: list[Any], name: str) -> list[Any]:
    """The types of what stands under a name: in a model those of its field, in a mapping those of the values."""
    found: list[Any] = []
    for kind in kinds:
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        parts = [_annotation(kind, name)] if is_model else get_args(kind)[1:]
        found += [arm for part in parts for arm in _arms(part)]
    return found


def _annotation(model: type[BaseModel], name: str) -> Any:
    for field_name, field in model.model_fields.items():
        if name in (field_name, field.alias):
            return field.annotation
    return None
