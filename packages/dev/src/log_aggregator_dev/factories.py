"""How records, aggregates and flushes are made for a test: everything has a default, nothing is random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from log_aggregator.model.aggregate import START, Aggregate, Alias, Anomaly, Flush, Position
from log_aggregator.model.record import Record
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize

NOW = 1_800_000_000_000_000
"""The time of everything that is made here: microseconds since the epoch, in the year 2027."""

BUCKET = 300
"""Seconds that one aggregate covers, as in the service's default."""


def make_record(message: str = "User 123 logged in", **fields: Any) -> Record:
    """A record as the stages get it; `fields` are those of `Record`."""
    given: dict[str, Any] = {"level": "INFO", "source": "auth", "timestamp": NOW, "metadata": {}, **fields}
    return Record(message=message, **given)


def make_aggregate(pattern: str = "User {ID} logged in", count: int = 1, **fields: Any) -> Aggregate:
    """An aggregate as it comes out of the fold; `fields` are those of `Aggregate`.

    `metadata` may be given as a list of the metadata of single logs.
    """
    given: dict[str, Any] = {
        "level": "INFO",
        "source": "auth",
        "bucket": NOW // 1_000_000 // BUCKET * BUCKET,
        "first_seen": NOW,
        "last_seen": NOW + 1_000_000,
        "samples": Samples((pattern.replace("{ID}", "123"),), 0),
        **fields,
    }
    if isinstance(given.get("metadata"), list):
        given["metadata"] = summarize(given["metadata"])
    return Aggregate(pattern=pattern, count=count, **given)


class Flushes:
    """The flushes of one data directory, in order, as its lane would deliver them to one sink."""

    def __init__(self, instance: str = "test-instance", epoch: int = 0x5EED) -> None:
        self.instance = instance
        self.epoch = epoch
        self.previous: Position | None = START
        self._sequence = 0

    def next(
        self,
        aggregates: Iterable[Aggregate] = (),
        *,
        aliases: Sequence[Alias] = (),
        anomalies: Sequence[Anomaly] = (),
    ) -> Flush:
        """The next flush: it continues the one before, which counts as stored."""
        self._sequence += 1
        flush = make_flush(
            aggregates,
            instance=self.instance,
            position=Position(self.epoch, self._sequence),
            previous=self.previous,
            aliases=tuple(aliases),
            anomalies=tuple(anomalies),
        )
        self.previous = flush.position
        return flush

    def restart(self) -> None:
        """From here on as after a restart of the service: another epoch, the numbering goes on."""
        self.epoch += 1


def make_flush(aggregates: Iterable[Aggregate] = (), **fields: Any) -> Flush:
    """One flush; `fields` are those of `Flush`. For several in a row, use `Flushes`."""
    rows = tuple(aggregates)
    given: dict[str, Any] = {
        "instance": "test-instance",
        "position": Position(0x5EED, 1),
        "previous": START,
        "opened": NOW,
        "sealed": NOW + 2_000_000,
        "logs": sum(row.count for row in rows),
        **fields,
    }
    return Flush(aggregates=rows, **given)
