"""What a setting expects, as a sentence: the validator's own sentences do not say it."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

_NUMBERS = {int: "a whole number", float: "a number"}


def complaint(error: Any, fields: dict[str, FieldInfo]) -> str:
    """One error of a pydantic model → what was expected; `fields` are the model's."""
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    field = fields.get(str(error["loc"][0])) if error["loc"] else None
    known = expected(field) if field is not None else ""
    return f"expected {known}" if known else str(error["msg"])


def expected(field: FieldInfo) -> str:
    """What a value of this field is: `a whole number from 0 to 65535`; empty where nothing short says it."""
    kind = _bare(field.annotation)
    if kind is bool:
        return "1 or 0"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    return f"{_NUMBERS[kind]}{_range(field)}" if kind in _NUMBERS else ""


def _bare(annotation: Any) -> Any:
    """The type without `None`."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def _range(field: FieldInfo) -> str:
    bounds = {
        name: getattr(part, name) for part in field.metadata for name in ("gt", "ge", "le", "lt") if hasattr(part, name)
    }
    if bounds.keys() == {"ge", "le"}:
        return f" from {bounds['ge']} to {bounds['le']}"
    words = {"gt": "greater than", "ge": "of at least", "le": "of at most", "lt": "less than"}
    return "".join(
        f"{' and' if place else ''} {words[name]} {bound:g}" for place, (name, bound) in enumerate(bounds.items())
    )
