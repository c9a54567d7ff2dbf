"""Nothing is worse than linear; and a plugin that is makes the bench say so.

With `SCALE_MUTANTS=all`, that is shown on every axis: it takes minutes, as quadratic work does.
"""

from __future__ import annotations

import os

import pytest

from tests.bench.scale import measure as measure_module
from tests.bench.scale.axes import QUICK, QUICK_LOGS, quick
from tests.bench.scale.fit import QUICK_LINEAR
from tests.bench.scale.measure import Result, measure
from tests.bench.scale.report import Report
from tests.bench.scale.rig import Cost

CULPRITS = {"patterns": "by_pattern", "sources": "by_pattern", "batch": "by_batch", "length": "by_length"}
SHOWN = tuple(CULPRITS) if os.environ.get("SCALE_MUTANTS") == "all" else ("patterns",)


def grown(name: str, plugin: str = "") -> Result:
    [axis] = quick([name])
    # What a bug costs must stand out from what the start of a service costs: three times as large, then.
    sizes = (axis.sizes[0], axis.sizes[-1] * (3 if plugin else 1))
    [result] = measure(axis._replace(sizes=sizes), 1, lambda _: None, plugin, QUICK_LOGS)
    assert not result.failed
    return result


def test_a_size_that_fails_costs_only_itself(monkeypatch):
    def costs(world, plugin, logs):
        if world.patterns == 300:
            raise OSError("no room")
        cost = Cost(world.logs, world.logs * 1e-6, 1, 0.1, 0.2)
        return cost, cost

    monkeypatch.setattr(measure_module, "_costs_of", costs)
    [axis] = quick(["patterns"])
    [result] = measure(axis, 2, lambda _: None)
    report = Report(2, results=[result], failed=result.failed)
    assert [point.size for point in result.points] == [100, 1000]
    assert result.failed == ["300: OSError: no room"] * 2
    assert result.exponent == pytest.approx(1)
    assert not report.holds
    assert Report(2, results=[result]).holds


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
    """On a noisy machine not in each short run; without the plugin none of three comes near."""
    found: list[float] = []
    while not found or (found[-1] <= QUICK_LINEAR and len(found) < 3):
        found.append(grown(name, CULPRITS[name]).exponent or 0.0)
    assert found[-1] > QUICK_LINEAR, found
