"""Both sides in this process, without HTTP and disk: CPU seconds from the bytes of a body to counted groups."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.journal import encode
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.shapes import shape_of
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.slices import slices
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PreAggregator
from tests.bench.micro.lines import Log
from tests.bench.obvious import Batch, Groups

PIPELINE = "[plugins.formats]\n[plugins.redact]\n[plugins.classify]\n[plugins.patterns]\n[plugins.templates]\n"
BUCKET = 3600

GC_THRESHOLDS = (10_000, 2, 2500)
"""Of the collector, as `log-aggregator serve` sets them."""

clock = time.process_time


class Ours:
    """The stages of the default pipeline and what aggregates behind them."""

    def __init__(self) -> None:
        registry = Registry(parse_plugins(PIPELINE), {})
        self._stages = Stages(registry)
        self._decoder = BodyDecoder(Limits())
        self._sorter = PreAggregator(BUCKET)
        self._accumulators = Accumulators(100_000, 5)
        self._seen: set[int] = set()
        self.by_part: dict[str, float] = {}

    def run(self, bodies: Sequence[bytes]) -> float:
        """CPU seconds for some bodies, with the thresholds of the collector that the service sets when it starts."""
        before = gc.get_threshold()
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            return sum(map(self._one, bodies))
        finally:
            gc.set_threshold(*before)

    def warm_up(self, bodies: Sequence[bytes]) -> None:
        """Take in what a service has seen after a few seconds: the rules are ready for outlines then."""
        self.run(bodies)
        self._accumulators = Accumulators(100_000, 5)

    def seal(self) -> float:
        """CPU seconds for the aggregates of all that was counted."""
        return self._timed("seal", lambda: sum(1 for _ in self._accumulators.take()))[1]

    def share_never_seen(self, logs: Sequence[Log]) -> float:
        """The share of logs whose shape was in no earlier call."""
        shapes = [hash(shape_of(log["message"])) for log in logs]
        fresh = sum(shape not in self._seen for shape in shapes)
        self._seen.update(shapes)
        return fresh / len(shapes)

    def _one(self, body: bytes) -> float:
        began = clock()
        records, _ = self._timed("decode", lambda: self._decoder.many(body, False, time.time_ns() // 1000).records)
        for part in slices(WorkingBatch(records), len(body)):  # the service knows the size, too
            batch = self._timed("guard", lambda part=part: self._stages.guard(part)[0])[0]
            self._timed("journal", lambda batch=batch: encode(batch.records(), annotated=batch.is_annotated))
            self._timed("stages", lambda batch=batch: self._stages.process(batch))
            partials, _ = self._timed("sort", lambda batch=batch: self._sorter.sort(batch))
            self._timed("fold", lambda partials=partials: self._accumulators.add(partials))
        return clock() - began

    def _timed(self, part: str, work: Callable[[], object]) -> tuple[object, float]:
        began = clock()
        result = work()
        took = clock() - began
        self.by_part[part] = self.by_part.get(part, 0.0) + took
        return result, took


class Obvious:
    """The obvious implementation without its web server."""

    def __init__(self, *, counts: bool) -> None:
        self._groups = Groups(counts=counts)

    def run(self, bodies: Sequence[bytes]) -> float:
        """CPU seconds for some bodies."""
        began = clock()
        for body in bodies:
            for log in Batch.model_validate_json(body).logs:
                self._groups.add(log)
        return clock() - began

    def forget(self) -> None:
        """Begin anew, so that what was counted before costs nothing."""
        self._groups.take()
