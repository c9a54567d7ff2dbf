"""What the service measures of itself: latencies, memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ddsketch import DDSketch

_STEPS_A_SECOND = 100_000
_STEPS_KEPT = 1000
_PAGE = os.sysconf("SC_PAGE_SIZE")
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Latency:
    """How long something takes: quantiles within 1 % (DDSketch, VLDB 2019) or 0.01 ms, in bounded memory."""

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
            self._pour()

    def _pour(self) -> None:
        for step, times in self._steps.items():
            self._sketch.add(step / _STEPS_A_SECOND, times)
        self._steps.clear()

    def figures(self) -> dict[str, Any]:
        """Count, sum in seconds, and quantiles in milliseconds."""
        self._pour()
        count = int(self._sketch.count)
        out: dict[str, Any] = {"count": count, "sum_seconds": round(self._sketch.sum, 6)}
        for name, q in _QUANTILES.items():
            value = self._sketch.get_quantile_value(q) if count else None
            out[f"{name}_ms"] = None if value is None else round(value * 1000, 3)
        return out


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
