"""What logs become: aggregates of one group each, and flushes that carry them to the sinks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from log_aggregator.errors import FencedError
from log_aggregator.model.record import pattern_id
from log_aggregator.model.samples import Samples, merge_samples
from log_aggregator.model.summary import Summary, merge_summaries


class Key(NamedTuple):
    """What makes a group: one row of a store. `bucket` is its start in epoch seconds.

    `group` is the JSON text of the metadata chosen by `group_by`, or empty.
    """

    bucket: int
    pattern_id: str
    level: str
    source: str
    group: str = ""


class Aggregate(msgspec.Struct, gc=False, frozen=True):
    """All logs of one group. Times are in microseconds since the epoch.

    `bucket` (epoch seconds) is when the group's time bucket begins. `group` is the JSON text of the metadata that
    `GROUP_BY` names, or empty. `metadata` says of each key how many logs had it and what its values were;
    `log_aggregator.model.summary.to_json` makes a JSON object of it. `samples.messages` are a few of the original
    messages, the first one first; `samples.logs` has them with their time and metadata.
    `categories` and `tags` count the logs that had each of them. `minutes` counts the logs of each minute of the
    bucket, up to the last one with logs; what it lacks of `count` came in minutes that are not known. `variables` is
    like `metadata`, of what the placeholders of the pattern stood for: keys are those of
    `log_aggregator.model.variables.variable_names`.
    """

    bucket: int
    pattern: str
    level: str
    source: str
    count: int
    first_seen: int
    last_seen: int
    group: str = ""
    metadata: Summary = {}
    samples: Samples = Samples()
    categories: dict[str, int] = {}
    tags: dict[str, int] = {}
    minutes: tuple[int, ...] = ()
    variables: Summary = {}

    @property
    def key(self) -> Key:
        """The key under which aggregates merge."""
        return Key(self.bucket, pattern_id(self.pattern), self.level, self.source, self.group)

    @property
    def pattern_id(self) -> str:
        """The stable id of the pattern."""
        return pattern_id(self.pattern)

    @property
    def category(self) -> str:
        """The most frequent category, or an empty string."""
        return min(self.categories, key=lambda name: (-self.categories[name], name), default="")


def merge(a: Aggregate, b: Aggregate, max_samples: int) -> Aggregate:
    """Merge two aggregates of the same key into a new one; neither is changed.

    Associative and commutative: buffers, outages, workers and machines rest on it.
    """
    return Aggregate(
        a.bucket,
        a.pattern,
        a.level,
        a.source,
        a.count + b.count,
        min(a.first_seen, b.first_seen),
        max(a.last_seen, b.last_seen),
        a.group,
        merge_summaries(a.metadata, b.metadata),
        merge_samples(a.samples, (a.first_seen, a.last_seen), b.samples, (b.first_seen, b.last_seen), max_samples),
        _add_counts(a.categories, b.categories),
        _add_counts(a.tags, b.tags),
        add_minutes(a.minutes, b.minutes),
        merge_summaries(a.variables, b.variables),
    )


def merge_all(aggregates: Iterable[Aggregate], max_samples: int) -> dict[Key, Aggregate]:
    """Merge aggregates by key."""
    merged: dict[Key, Aggregate] = {}
    for aggregate in aggregates:
        key = aggregate.key
        known = merged.get(key)
        merged[key] = aggregate if known is None else merge(known, aggregate, max_samples)
    return merged


def add_minutes(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The counts of each minute of both."""
    return tuple([one + other for one, other in zip_longest(a, b, fillvalue=0)])


def _add_counts(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    if not a or not b:
        return a or b
    total = dict(a)
    for name, count in b.items():
        total[name] = total.get(name, 0) + count
    return total


class Alias(msgspec.Struct, gc=False, frozen=True):
    """A pattern was generalised: rows of `old_id` belong to the pattern `pattern` now.

    An alias with `pattern` empty takes an earlier alias back: the old pattern stands alone again.
    `at` (microseconds) orders aliases of the same `old_id`; the latest holds.
    """

    old_id: str
    pattern: str
    at: int

    @property
    def new_id(self) -> str:
        """The id of the generalised pattern, or `old_id` when the alias is taken back."""
        return pattern_id(self.pattern) if self.pattern else self.old_id


class Anomaly(msgspec.Struct, gc=False):
    """Something new, spiking or silent. Sent again with the same `id` when it changes or ends.

    `kind`: `new_pattern`, `spike`, `drop`, `silence`, `level_shift` or `error_rate`. `state`: `open` or
    `resolved`. `tier`: `recorded` or `notify`. Times are in microseconds since the epoch. `score` is 0
    to 1; `details` holds the why: expected range, seen, samples. `revision` grows by one with every
    change, so that an older version never overwrites a newer one.
    """

    id: str
    kind: str
    state: str
    tier: str
    pattern_id: str
    pattern: str
    level: str
    source: str
    started: int
    updated: int
    score: float
    revision: int = 0
    resolved: int | None = None
    details: dict[str, Any] = {}


class Position(NamedTuple):
    """Where a flush stands in the life of a data directory.

    `epoch` is drawn anew at every start; `sequence` counts flushes and is never reset.
    """

    epoch: int
    sequence: int


START = Position(0, 0)
"""Before the first flush."""


class Flush(msgspec.Struct, gc=False, frozen=True):
    """Aggregates on their way to the sinks. Immutable: all lanes read the same object.

    `previous` is the position of the flush that this sink stored before: `START` when it has none yet,
    `None` when its lane cannot know, because it gave up flushes. `opened` and `sealed` (microseconds) say
    when its logs were received. `logs` is the sum of the counts.
    """

    instance: str
    position: Position
    previous: Position | None
    opened: int
    sealed: int
    logs: int
    aggregates: tuple[Aggregate, ...]
    aliases: tuple[Alias, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()

    @property
    def identity(self) -> str:
        """A text that is the same for every attempt to deliver this flush, and for no other."""
        return f"{self.instance}-{self.position.epoch:x}-{self.position.sequence}"

    def is_stored(self, progress: Position | None) -> bool:
        """Decide from the progress that a store holds for this instance.

        `True`: the flush, or a later one of its epoch, is stored already. `False`: store it now, and move the
        progress from what it was to `position` in the same transaction. A store without progress for the instance
        takes any flush: it is new. Raises `FencedError` when the flush does not continue the progress.
        """
        if (
            progress is not None
            and progress.epoch == self.position.epoch
            and progress.sequence >= self.position.sequence
        ):
            return True  # within one epoch a chain only grows
        if progress is None or self.previous is None or progress == self.previous:
            return False
        raise FencedError(
            f"flush {self.identity} does not continue what is stored of this instance "
            f"(stored: {progress.epoch:x}-{progress.sequence}): another service went on from a copy "
            "of this data directory, or the store was restored from a backup"
        )


def merge_flushes(flushes: list[Flush], max_samples: int) -> Flush:
    """Merge consecutive flushes that no sink has been given yet into one that stands for all."""
    aggregates = merge_all((a for flush in flushes for a in flush.aggregates), max_samples)
    return Flush(
        instance=flushes[0].instance,
        position=flushes[-1].position,
        previous=flushes[0].previous,
        opened=min(flush.opened for flush in flushes),
        sealed=max(flush.sealed for flush in flushes),
        logs=sum(flush.logs for flush in flushes),
        aggregates=tuple(aggregates.values()),
        aliases=tuple(alias for flush in flushes for alias in flush.aliases),
        anomalies=tuple(anomaly for flush in flushes for anomaly in flush.anomalies),
    )
