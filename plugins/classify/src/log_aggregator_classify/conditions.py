"""What a rule may ask of a metadata value: a number compared, a text matched, or that it is there."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from fnmatch import translate
from typing import Any

from log_aggregator.model.number_texts import parse_number

Condition = Callable[[Any], bool]

_COMPARED = re.compile(r"\s*(>=|<=|>|<)\s*(\S.*)")
_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def parse_condition(wanted: str | float | bool) -> Condition:
    """Read a condition.

    `">= 500"` and `"> 2s"` compare numbers, with units of time and size; `"*Timeout*"` matches the text,
    any case; `"*"` is fulfilled by any value but null. A number or truth value must be equal.
    """
    if not isinstance(wanted, str):
        return lambda value: bool(value == wanted and isinstance(value, bool) == isinstance(wanted, bool))
    compared = _COMPARED.fullmatch(wanted)
    if compared is None:
        matches = re.compile(translate(wanted.lower())).match
        return lambda value: value is not None and matches(str(value).lower()[:1000]) is not None
    limit = parse_number(compared[2])
    if limit is None:
        raise ValueError(f"{wanted!r}: expected a number after {compared[1]}, such as '{compared[1]} 500' or '> 2s'")
    return _comparison(_OPERATORS[compared[1]], *limit)


def _comparison(holds: Callable[[float, float], bool], limit: float, unit: str) -> Condition:
    def check(value: Any) -> bool:
        number = parse_number(value)
        return number is not None and number[1] == unit and holds(number[0], limit)

    return check
