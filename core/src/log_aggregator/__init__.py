"""All that a plugin author imports."""

from log_aggregator.errors import (
    ConfigError,
    FencedError,
    LogAggregatorError,
    OverloadedError,
    PermanentError,
    Reject,
    RetryableError,
)
from log_aggregator.hookspecs import API_VERSION, Hooks, Service, hookimpl
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush, Key, Position, merge, merge_all
from log_aggregator.model.batch import Batch
from log_aggregator.model.group import Alike
from log_aggregator.model.record import Record, fill_shapes, pattern_id, shape_of, shapes_of

__all__ = [
    "API_VERSION",
    "Aggregate",
    "Alias",
    "Alike",
    "Anomaly",
    "Batch",
    "ConfigError",
    "FencedError",
    "Flush",
    "Hooks",
    "Key",
    "LogAggregatorError",
    "OverloadedError",
    "PermanentError",
    "Position",
    "Record",
    "Reject",
    "RetryableError",
    "Service",
    "fill_shapes",
    "hookimpl",
    "merge",
    "merge_all",
    "pattern_id",
    "shape_of",
    "shapes_of",
]
