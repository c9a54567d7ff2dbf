"""Latency of one operation: count, sum and quantiles in bounded memory."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.number_texts import NumberColumn
from log_aggregator.model.numbers import Numbers

_STEPS_A_SECOND = 100_000
_STEPS_KEPT = 1000
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Latency:
    """How long something takes: quantiles within 3 % or 0.01 ms."""

    def __init__(self) -> None:
        self._summary: Numbers | None = None
        self._steps: dict[int, int] = {}

    def note(self, seconds: float) -> None:
        """Note one duration."""
        # Counted first, because a summary costs more than all else that is noted about a request.
        step = round(seconds * _STEPS_A_SECOND)
        steps = self._steps
        steps[step] = steps.get(step, 0) + 1
        if len(steps) > _STEPS_KEPT:
            self._summarize()

    def _summarize(self) -> None:
        if self._steps:
            seconds = [step / _STEPS_A_SECOND for step in self._steps]
            new = Numbers.of(NumberColumn(seconds, "s", list(self._steps.values())))
            self._summary = new if self._summary is None else self._summary.merged(new)
            self._steps.clear()

    def stats(self) -> dict[str, Any]:
        """Count, sum in seconds, and quantiles in milliseconds."""
        self._summarize()
        summary = self._summary
        if summary is None:
            return {"count": 0, "sum_seconds": 0.0, **{f"{name}_ms": None for name in _QUANTILES}}
        quantiles = {f"{name}_ms": round(summary.quantile(share) * 1000, 3) for name, share in _QUANTILES.items()}
        return {"count": summary.count, "sum_seconds": round(int(summary.nanos) / 1e9, 6), **quantiles}
