"""What keeps one plugin's faults from costing anybody else: circuits, stall watching, checks, own processes."""

from log_aggregator.isolation.circuit import FAILURES_TO_OPEN, STALL, Circuit
from log_aggregator.isolation.sink import ContainedSink
from log_aggregator.isolation.watch import Watch, packages_of

__all__ = ["FAILURES_TO_OPEN", "STALL", "Circuit", "ContainedSink", "Watch", "packages_of"]
