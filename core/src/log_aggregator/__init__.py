"""What the author of a stage imports. Authors of sinks find more in `log_aggregator.sinks`, those of receivers in
`log_aggregator.receivers`."""

from log_aggregator.errors import ConfigError, Reject, RetryableError
from log_aggregator.hookspecs import API_VERSION, Hooks, Service, hookimpl
from log_aggregator.model.batch import Batch
from log_aggregator.model.group import Group
from log_aggregator.model.record import Record, pattern_id
from log_aggregator.model.shapes import shape_of, shapes_of

__all__ = [
    "API_VERSION",
    "Batch",
    "ConfigError",
    "Group",
    "Hooks",
    "Record",
    "Reject",
    "RetryableError",
    "Service",
    "hookimpl",
    "pattern_id",
    "shape_of",
    "shapes_of",
]
