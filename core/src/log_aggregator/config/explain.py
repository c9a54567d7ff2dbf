"""Errors of a table of `plugins.toml`, in lines that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from log_aggregator.config.settings import nearest

_NAMES = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
"""What TOML calls the types of values."""

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "path_type": "a path, as a text",
    "model_type": "a table",
}
"""What is expected, by pydantic's type of the error."""

_PLAIN = {"int_parsing", "int_from_float", "float_parsing", "bool_parsing"}
"""Errors of options that are numbers or switches: nobody keeps a password there."""

LONGEST_SHOWN = 40


def describe(error: ValidationError, where: str, model: type[BaseModel], beside: Iterable[str] = ()) -> str:
    """An error of a table in the house's form, a line a problem: where · what · expected.

    An entry of a list is named by its number, counted from 1: `rules.#1.regex`. `beside` are keys that may stand in
    the table without being fields of the model. Values of options that are texts are not repeated, only their types: a
    wrong value may be a password.
    """
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(f"#{part + 1}" if isinstance(part, int) else part for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            *path, last = problem["loc"]
            known = _keys_at(model, path, beside)
            hint = nearest(str(last), known) or f"; expected one of: {', '.join(known) or 'no options'}"
            lines.append(f"{where} {key}: unknown key{hint}")
        else:
            lines.append(f"{where} {key}: {_expected(problem)}{_found(problem)}")
    return "\n".join(lines)


def _expected(problem: ErrorDetails) -> str:
    """What is wrong, or for a wrong type what was expected."""
    if problem["type"] in {"literal_error", "enum"}:
        return f"expected {problem.get('ctx', {}).get('expected', 'another value')}"
    known = _EXPECTED.get(problem["type"])
    return f"expected {known}" if known else problem["msg"].removeprefix("Value error, ")


def _found(problem: ErrorDetails) -> str:
    """What stands there instead, where the type is wrong; the value itself only where no password is expected."""
    if not problem["type"].endswith(("_type", "_parsing", "_from_float")):
        return ""
    value = problem["input"]
    if problem["type"] in _PLAIN and isinstance(value, str | int | float) and len(str(value)) <= LONGEST_SHOWN:
        return f"; found {_toml(value)}"
    return f"; found {_NAMES.get(type(value), 'another type')}"


def _toml(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def _keys_at(model: type[BaseModel], path: list[int | str], beside: Iterable[str]) -> list[str]:
    """The keys that are known where an error is: `path` leads there from the plugin's table."""
    models = [model]
    for part in path:
        models = [inner for outer in models for inner in _models_below(outer, str(part))] or models
    names = {name for one in models for name in one.model_fields}
    return sorted(names if path else names | set(beside))


def _models_below(model: type[BaseModel], field: str) -> list[type[BaseModel]]:
    known = model.model_fields.get(field)
    return list(_models_in(known.annotation)) if known else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
