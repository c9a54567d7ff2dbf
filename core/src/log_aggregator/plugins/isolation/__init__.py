"""What keeps one plugin's faults from costing anybody else: circuits, stall watching, checks, own processes."""

from log_aggregator.plugins.isolation.circuit_breaker import FAILURES_TO_OPEN, STALL, CircuitBreaker
from log_aggregator.plugins.isolation.sink import ContainedSink
from log_aggregator.plugins.isolation.stall_watchdog import StallWatchdog, packages_of

__all__ = ["FAILURES_TO_OPEN", "STALL", "CircuitBreaker", "ContainedSink", "StallWatchdog", "packages_of"]
