"""What the author of a sink imports, beside what `log_aggregator` has."""

from log_aggregator.errors import FencedError, PermanentError, RetryableError
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush, Key, Position, merge, merge_all

__all__ = [
    "Aggregate",
    "Alias",
    "Anomaly",
    "FencedError",
    "Flush",
    "Key",
    "PermanentError",
    "Position",
    "RetryableError",
    "merge",
    "merge_all",
]
