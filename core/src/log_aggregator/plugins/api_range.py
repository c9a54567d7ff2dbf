"""Whether a plugin was written for this plugin API: `api = ">=1,<2"` in its class."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_BOUND = re.compile(rf"\s*({'|'.join(_COMPARISONS)})\s*(\d{{1,6}})\s*")


def fits(api: str, version: int) -> bool:
    """Whether a version is in a range such as `>=1,<2`: whole numbers, every bound must hold.

    Raises `ValueError` when it is no range.
    """
    bounds = [_BOUND.fullmatch(part) for part in api.split(",")]
    if None in bounds:
        raise ValueError("expected a range such as '>=1,<2'")
    return all(_COMPARISONS[bound[1]](version, int(bound[2])) for bound in bounds if bound)
