"""What can go wrong, and what the host does about it: the type of an exception decides."""

from __future__ import annotations


class LogAggregatorError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(LogAggregatorError):
    """`plugins.toml`, the environment or a plugin is wrong. The service does not start.

    The text says where, what and what was expected, in one line that a person can act on.
    """


class Reject(LogAggregatorError):  # noqa: N818  a verdict about a record, not a fault
    """Raised by `on_ingest`: a record, or the whole batch, is not wanted.

    `Reject("reason")` refuses the batch; `Reject("reason", record)` refuses that one record and
    the hook is called again with the rest. The reason is shown to the client, so it must not hold
    the message. A refused record is answered as rejected and never reaches the disk.
    """

    def __init__(self, reason: str, record: object | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.record = record


class RetryableError(LogAggregatorError):
    """Raised by `on_flush`: not stored now, try the same flush again later.

    `retry_after` (seconds) overrides the lane's own backoff for the next attempt. `retry_within` (seconds)
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
