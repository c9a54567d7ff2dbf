"""JSON that another program may have left in a row: anything, and what looks like ours but for a part of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from log_aggregator.model.summary import summarize, to_json
from log_aggregator.model.values import CELLS

_SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_characters="\0"), max_size=5)
)  # fmt: skip

ANY = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abk"), inner, max_size=3),
    max_leaves=8,
)
"""JSON of any form."""


def _object(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """An object with some of the fields, each of them right or odd."""
    return st.fixed_dictionaries({}, optional={name: value | ANY for name, value in fields.items()})


# Twice the highest number that is believed would not be believed when it is read back.
_COUNT = st.integers(-2, 9) | st.sampled_from([2**50, 2**53 + 1, 2**63, 10**30])
_VALUES = st.sampled_from(["u0", "1", "1ms", "x"])
_CELLS = st.lists(st.integers(0, 9), min_size=2 * CELLS, max_size=2 * CELLS)
_CELLS |= st.sampled_from([[], [0] * (2 * CELLS), [-1] * (2 * CELLS), [1] * 3, [2**70] * (2 * CELLS)])
_LISTED = st.lists(_object({"value": _VALUES, "count": _COUNT}), max_size=3)
_STATE = _object(
    {
        "draws": st.dictionaries(_VALUES, st.floats(-5, 5) | st.sampled_from([1e300, -1e300])),
        "kept": st.dictionaries(_VALUES, _COUNT),
        "cells": _CELLS,
    }
)
_BINS = st.dictionaries(st.integers(-20, 20).map(str) | st.sampled_from(["x", "99999999", "-99999999", "1e3"]), _COUNT)
_NUMBERS = _object(
    {
        "unit": st.sampled_from(["", "s", "B", "y" * 99]),
        "count": _COUNT,
        "min": st.integers(-5, 5),
        "max": st.integers(-5, 5),
        "sum": st.sampled_from(["1.000000000", "-0.5", "9" * 5000, "1" * 41 + ".000000000", "1_0", "", "x"]),
        "zeros": _COUNT,
        "bins": _BINS,
    }
)
_OURS = [
    to_json(summarize([{"user": "u0", "took": "1ms"}])),
    to_json(summarize({"user": f"u{n}", "took": f"{n}ms"} for n in range(40))),
]


_ODD: list[Any] = [None, True, {}, [], "", 0, -1, 3.5, 2**53 + 1, 10**400, "1e400", {"99999999": 1}, [-1] * (2 * CELLS)]


def _places(part: Any) -> list[list[Any]]:
    """The way to each part of a JSON value; of long arrays and objects to the first three of their parts."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(part, dict):
        inner = sorted(part.items())
    elif isinstance(part, list):
        inner = list(enumerate(part))
    if len(inner) > 10:
        inner = inner[:3]
    return [way for name, value in inner for way in ([name], *([name, *rest] for rest in _places(value)))]


def nearly_ours() -> Iterator[Any]:
    """Right summaries, each with one place in it that is something else: every place, everything odd."""
    for summary in _OURS:
        for *way, last in _places(summary):
            for odd in _ODD:
                changed = copy.deepcopy(summary)
                part: Any = changed
                for name in way:
                    part = part[name]
                part[last] = odd
                yield changed


_ENTRY = _object({"count": _COUNT, "values": _LISTED, "state": _STATE, "numbers": _NUMBERS})

METADATA = st.dictionaries(st.sampled_from(["user", "took"]), _ENTRY, max_size=2) | ANY
"""What may stand in `metadata`."""
