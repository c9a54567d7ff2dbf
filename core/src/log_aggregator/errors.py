"""What can go wrong, and what the host does about it: the type of an exception decides."""

from __future__ import annotations


class LogAggregatorError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(LogAggregatorError):
    """`plugins.toml`, the environment or a plugin is wrong. The service does not start.

    The text says where, what and what was expected, in one line that a person can act on.
    """


class Reject(LogAggregatorError):  # noqa: N818  a verdict about a request, not a fault
    """Raised by `on_ingest`: the request that the records came with is refused as a whole.

    The sender is told `reason`, so it must not hold a message. To refuse single records, see `Batch.reject`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyLogsError(Reject):
    """The journal cannot take the logs of one request in one piece, now or later: send fewer in a request."""


class RetryableError(LogAggregatorError):
    """Raised by `on_flush`: not stored now, try the same flush again later. By a stage: it cannot run now.

    `retry_after` (seconds) overrides the host's own pause before the next attempt. `retry_within` (seconds)
    bounds it: for a server that is not there at all, which costs nothing to ask again.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None, retry_within: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.retry_within = retry_within


class PermanentError(LogAggregatorError):
    """Raised by `on_flush`: this flush can never be stored as it is, and a person is needed.

    A required sink's lane stops in front of the flush, keeps it, says so in `/health` and tries
    again at its longest interval. A lane that is not required drops the flush and counts the loss.
    """


class FencedError(PermanentError):
    """The store's progress does not continue at this flush.

    Another service went on from a copy of this data directory, or the store was rewound by a
    restore. Storing the flush could count logs twice, so it is kept.
    """


class OverloadedError(LogAggregatorError):
    """Raised by `service.ingest`: nothing was accepted; try again after `retry_after` seconds."""

    def __init__(self, reason: str, *, retry_after: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class KeyReusedError(LogAggregatorError):
    """An Idempotency-Key came again with another body: nothing was accepted."""
