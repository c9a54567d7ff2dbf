"""Latency of one operation: count, sum and quantiles in bounded memory."""

from __future__ import annotations

from typing import Any

from ddsketch import DDSketch

_STEPS_A_SECOND = 100_000
_STEPS_KEPT = 1000
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Latency:
    """How long something takes: quantiles within 1 % (DDSketch, VLDB 2019) or 0.01 ms."""

    def __init__(self) -> None:
        self._sketch = DDSketch(0.01)
        self._steps: dict[int, int] = {}

    def note(self, seconds: float) -> None:
        """Note one duration."""
        # Counted first, because the sketch costs more than all else that is noted about a request.
        step = round(seconds * _STEPS_A_SECOND)
        steps = self._steps
        steps[step] = steps.get(step, 0) + 1
        if len(steps) > _STEPS_KEPT:
            self._add_steps_to_sketch()

    def _add_steps_to_sketch(self) -> None:
        for step, times in self._steps.items():
            self._sketch.add(step / _STEPS_A_SECOND, times)
        self._steps.clear()

    def stats(self) -> dict[str, Any]:
        """Count, sum in seconds, and quantiles in milliseconds."""
        self._add_steps_to_sketch()
        count = int(self._sketch.count)
        out: dict[str, Any] = {"count": count, "sum_seconds": round(self._sketch.sum, 6)}
        for name, q in _QUANTILES.items():
            value = self._sketch.get_quantile_value(q) if count else None
            out[f"{name}_ms"] = None if value is None else round(value * 1000, 3)
        return out
