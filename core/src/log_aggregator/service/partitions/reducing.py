"""A flush that is longer than the journal takes: what it gives up, little by little. Its totals stay exact."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from log_aggregator.aggregation.accumulators import OVERFLOW_LEVEL, OVERFLOW_SOURCE
from log_aggregator.aggregation.merged_groups import bare
from log_aggregator.aggregation.overflow import OVERFLOW_PATTERN
from log_aggregator.model.aggregate import Aggregate, Flush, merge_all
from log_aggregator.model.samples import Samples


def reductions(flush: Flush) -> Iterator[tuple[Flush, str]]:
    """Shorter and shorter forms of a flush, each with what it gave up. The same flush has the same forms."""
    lean = [msgspec.structs.replace(one, metadata={}, variables={}) for one in flush.aggregates]
    yield _with(flush, lean), "metadata and variables"
    lean = [msgspec.structs.replace(one, samples=Samples()) for one in lean]
    yield _with(flush, lean), "metadata, variables and samples"
    often = sorted(range(len(lean)), key=lambda place: (-lean[place].count, place))
    kept = len(lean)
    while kept:
        kept //= 2
        yield _with(flush, _folded(lean, set(often[:kept]))), f"details, and {len(lean) - kept} patterns"
    total = [bare(one, (one.bucket, OVERFLOW_PATTERN, OVERFLOW_LEVEL, OVERFLOW_SOURCE, "")) for one in lean]
    anomalies = tuple([msgspec.structs.replace(one, details={}) for one in flush.anomalies])
    least = msgspec.structs.replace(flush, anomalies=anomalies)
    yield _with(least, list(merge_all(total, 0).values())), "all but totals"


def _folded(groups: list[Aggregate], kept: set[int]) -> list[Aggregate]:
    """These groups as they are, the others under the overflow pattern of their level and source."""
    whole = [one for place, one in enumerate(groups) if place in kept]
    rest = [
        bare(one, (one.bucket, OVERFLOW_PATTERN, one.level, one.source, ""))
        for place, one in enumerate(groups)
        if place not in kept
    ]
    return list(merge_all([*whole, *rest], 0).values())


def _with(flush: Flush, groups: list[Aggregate]) -> Flush:
    return msgspec.structs.replace(flush, aggregates=tuple(groups))
