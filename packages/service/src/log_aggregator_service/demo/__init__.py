"""A made-up shop and its logs: for trying out, tests, benchmarks and screenshots. The same seed gives the same logs."""

from log_aggregator_service.demo.kinds import KINDS, Kind
from log_aggregator_service.demo.stream import Incident, labelled, stream

__all__ = ["KINDS", "Incident", "Kind", "labelled", "stream"]
