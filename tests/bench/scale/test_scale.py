"""Nothing is worse than linear; and a plugin that is makes the bench say so.

With `SCALE_MUTANTS=all`, that is shown on every axis: it takes minutes, as quadratic work does.
"""

from __future__ import annotations

import os

import pytest

from tests.bench.scale.axes import QUICK, QUICK_LOGS, quick
from tests.bench.scale.fit import QUICK_LINEAR
from tests.bench.scale.measure import Result, measure

CULPRITS = {"patterns": "by_pattern", "sources": "by_pattern", "batch": "by_batch", "length": "by_length"}
SHOWN = tuple(CULPRITS) if os.environ.get("SCALE_MUTANTS") == "all" else ("patterns",)


def grown(name: str, plugin: str = "") -> Result:
    [axis] = quick([name])
    [result] = measure(axis._replace(sizes=axis.sizes[::2]), 1, lambda _: None, plugin, QUICK_LOGS)
    assert not result.failed
    return result


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.parametrize("name", QUICK)
def test_work_grows_no_faster_than_linearly(name):
    result = grown(name)
    assert result.exponent < QUICK_LINEAR, result


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.parametrize("name", SHOWN)
def test_a_quadratic_plugin_is_noticed(name):
    result = grown(name, CULPRITS[name])
    assert result.exponent > QUICK_LINEAR, result
