"""Partial aggregates → accumulated groups: counts, samples and summaries since the last seal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from log_aggregator.aggregation.merged_groups import MergedGroups, bare
from log_aggregator.aggregation.overflow import OVERFLOW_PATTERN, Overflow
from log_aggregator.aggregation.tally import Tally
from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.samples import Sample, Samples, choose, metadata_text
from log_aggregator.model.summary import Columns, Summary, extended, extended_by_counts, gather
from log_aggregator.model.validation import is_metadata
from log_aggregator.model.variables import variables_of
from log_aggregator.processing.partial_aggregates import Key, Log, PartialAggregate

VALUES = 32
"""Messages of a group, since the last seal, in each of which the values of variables are read."""

_SHARE = 32
"""After these, one message is read for each such share of the group's logs."""
OVERFLOW_SOURCE = "(other)"
OVERFLOW_LEVEL = "OTHER"
"""Source and level of groups beyond a tenth more: clients choose both."""

_OVERFLOW_GROUPS = 50

_VALUES_AT_ONCE = 4096
"""Values of one group that wait to be summarized: a batch may bring as many at once."""

_VALUES_WAITING = 524_288
"""Values of all groups that wait: a few megabytes, and as many as can be for little memory. Few at once cost more."""

_READING = 8
"""Values for which one reading of variables counts: what it takes in memory."""

_OTHERS = 8
_GROUP_COST = 1000


class Accumulator:
    """One group since the last seal."""

    __slots__ = (
        "categories", "count", "first", "invalid", "latest", "metadata", "minutes", "others", "pending",
        "pending_variables", "tags", "unread", "unread_message", "values_read", "variables", "waiting",
    )  # fmt: skip

    def __init__(self, partial: PartialAggregate) -> None:
        self.count = 0
        self.first, self.latest = _sample(partial.first), partial.latest
        self.others: dict[str, Sample] = {}
        self.minutes: dict[int, int] = {}
        self.pending: Columns = {}
        self.pending_variables: dict[str, dict[str, int]] = {}
        self.values_read = self.unread = 0
        self.unread_message = ""
        self.waiting = 0
        self.metadata: Summary = {}
        self.variables: Summary = {}
        self.categories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.invalid = False

    def count_in(self, partial: PartialAggregate) -> None:
        """Count the logs and keep the first and the latest of them."""
        self.count += partial.logs
        for minute, logs in partial.minutes.items():
            self.minutes[minute] = self.minutes.get(minute, 0) + logs
        if partial.first[0] < self.first.time:
            self.first = _sample(partial.first)
        if partial.latest[0] >= self.latest[0]:
            self.latest = partial.latest

    def describe(self, partial: PartialAggregate) -> int:
        """Add category, tags, metadata and variables. Returns by how much that grew which waits to be summarized."""
        category = partial.category
        if category:
            self.categories[category] = self.categories.get(category, 0) + partial.logs
        for tag in partial.tags:
            self.tags[tag] = self.tags.get(tag, 0) + partial.logs
        waited = self.waiting
        if partial.messages:
            self._read_values(partial)
        if partial.weight != 1 and partial.metadata:
            columns: Columns = {}
            gather(columns, partial.metadata)
            self.metadata = self._extended(self.metadata, columns, partial.weight)
        elif partial.metadata:
            gather(self.pending, partial.metadata)
            self.waiting += sum(map(len, partial.metadata))
        if self.waiting >= _VALUES_AT_ONCE:
            self.summarize_pending()
        return self.waiting - waited

    def _read_values(self, partial: PartialAggregate) -> None:
        """Read what the placeholders stood for: in the first messages, later in some that stand for those between."""
        if self.values_read < VALUES:
            messages = partial.messages[:: (len(partial.messages) - 1) // (VALUES - self.values_read) + 1]
            each, more = divmod(partial.logs, len(messages))
            for place, message in enumerate(messages):
                self._read(partial.key[1], message, each + (place < more))
            return
        self.unread, self.unread_message = self.unread + partial.logs, partial.messages[0]
        if self.unread * _SHARE >= self.count:
            self.read_the_rest(partial.key[1])

    def read_the_rest(self, pattern: str) -> None:
        """Let the message that came last stand for all in which no values were read."""
        if self.unread:
            self._read(pattern, self.unread_message, self.unread)
            self.unread = 0

    def _read(self, pattern: str, message: str, stands_for: int) -> None:
        found, pending = variables_of(pattern, message), self.pending_variables
        for name, value in found.items():
            counts = pending.get(name)
            if counts is None:
                pending[name] = {value: stands_for}
            else:
                counts[value] = counts.get(value, 0) + stands_for
        self.values_read += 1
        self.waiting += _READING * (len(found) or 1)

    def summarize_pending(self) -> None:
        """Summarize what waits: many values at once cost less than one by one."""
        pending, self.pending, self.waiting = self.pending, {}, 0
        variables, self.pending_variables = self.pending_variables, {}
        self.metadata = self._extended(self.metadata, pending)
        if variables:
            self.variables = extended_by_counts(self.variables, variables)

    def _extended(self, known: Summary, columns: Columns, weight: int = 1) -> Summary:
        if not columns:
            return known
        try:
            return extended(known, columns, weight)
        except Exception:  # noqa: BLE001  invalid metadata of a plugin is dropped, the logs are counted
            self.invalid = True
            return extended(known, _valid(columns), weight)

    def minute_counts(self) -> tuple[int, ...]:
        """The logs of each minute, up to the last one with logs."""
        return tuple([self.minutes.get(minute, 0) for minute in range(max(self.minutes, default=-1) + 1)])

    def samples(self, most: int) -> Samples:
        """The logs that are kept."""
        return choose(self.first, _sample(self.latest), self.others.values(), most)


def _sample(log: Log) -> Sample:
    time, message, metadata = log
    return Sample(time, message, metadata_text(metadata))


def _valid(columns: Columns) -> Columns:
    """The columns without their invalid values."""
    kept = {key: [value for value in column if is_metadata({key: value})] for key, column in columns.items()}
    return {key: column for key, column in kept.items() if column}


class Accumulators:
    """All groups since the last seal.

    `logs` counts their logs, `bytes` estimates their texts, `waiting` counts values that are not summarized yet,
    `overflow` counts logs of the overflow pattern. `found_invalid` is set when a plugin left
    invalid metadata.

    As the groups approach `max_groups`, further samples are left out first, then metadata; then new patterns share the
    overflow pattern, and at last new sources and levels share one. Memory is bounded and totals stay exact.
    """

    def __init__(self, max_groups: int, max_samples: int) -> None:
        self.max_groups = max_groups
        self._max_samples = max_samples
        self._groups: dict[Key, Accumulator] = {}
        self._merged = MergedGroups(max_samples)
        self._in_turn: Iterator[Accumulator] = iter(())
        self.waiting = 0
        self.tally = Tally()
        self.logs = 0
        self.bytes = 0
        self.overflow = Overflow()
        self.found_invalid = False

    def __len__(self) -> int:
        return len(self._groups) + len(self._merged.groups)

    def merge(self, aggregate: Aggregate) -> None:
        """Add an aggregate of another service."""
        self.logs += aggregate.count
        self.tally.count(aggregate.level, aggregate.source, aggregate.count)
        key = (aggregate.bucket, aggregate.pattern, aggregate.level, aggregate.source, aggregate.group)
        if key not in self._merged.groups and key not in self._groups and len(self) >= self.max_groups:
            key = self._overflow_key(key)
        if key[1] == OVERFLOW_PATTERN:
            self.overflow.note(aggregate.source, aggregate.count, aggregate.samples.messages)
            aggregate = bare(aggregate, key)
        self.bytes += _GROUP_COST + self._merged.add(key, aggregate)

    def add(self, partials: list[PartialAggregate]) -> None:
        """Add the partial aggregates of one batch."""
        for partial in partials:
            self.logs += partial.logs
            self.tally.count(partial.key[2], partial.key[3], partial.logs)
            self._add(partial)
        while self.waiting > _VALUES_WAITING:
            self._summarize_next()

    def _summarize_next(self) -> None:
        """Summarize what waits of one group, round robin: all groups at once would block the event loop."""
        group = next(self._in_turn, None)
        if group is None:
            self._in_turn = iter(list(self._groups.values()))
        elif group.waiting:
            self.waiting -= group.waiting
            group.summarize_pending()

    def _add(self, partial: PartialAggregate) -> None:
        group = self._groups.get(partial.key) or self._new_group(partial)
        group.count_in(partial)
        if partial.key[1] == OVERFLOW_PATTERN:  # a stage gave up
            self._note_overflow(partial)
        groups = len(self._groups) + len(self._merged.groups)
        message = partial.between[1]
        if groups < self.max_groups * 0.5 and len(group.others) < _OTHERS and message not in group.others:
            group.others[message] = _sample(partial.between)
            self.bytes += len(message) + len(group.others[message].metadata)
        if groups < self.max_groups * 0.75:
            self.waiting += group.describe(partial)

    def _new_group(self, partial: PartialAggregate) -> Accumulator:
        key = partial.key
        if len(self) >= self.max_groups:
            key = self._overflow_key(key)
            if partial.key[1] != OVERFLOW_PATTERN:
                self._note_overflow(partial)
        self.bytes += _GROUP_COST + len(key[1]) + 2 * len(partial.first[1])
        return self._groups.setdefault(key, Accumulator(partial))

    def _note_overflow(self, partial: PartialAggregate) -> None:
        messages = partial.messages or [partial.first[1], partial.between[1], partial.latest[1]]
        self.overflow.note(partial.key[3], partial.logs, messages)

    def _overflow_key(self, key: Key) -> Key:
        bucket, _, level, source, _ = key
        if len(self) >= self.max_groups + max(_OVERFLOW_GROUPS, self.max_groups // 10):
            level, source = OVERFLOW_LEVEL, OVERFLOW_SOURCE
        return bucket, OVERFLOW_PATTERN, level, source, ""

    def take(self) -> Iterator[Aggregate]:
        """Remove all groups and return their aggregates, each made when the iterator reaches it.

        A group is freed as its aggregate is made: holding both for all groups would be the peak of memory.
        """
        groups, self._groups, self._in_turn = self._groups, {}, iter(())
        self.logs = self.bytes = self.waiting = 0
        merged, self._merged = self._merged, MergedGroups(self._max_samples)
        own = (self._aggregate(key, groups.pop(key)) for key in list(groups))
        return chain(map(merged.with_own, own), merged.rest()) if merged.groups else own

    def _aggregate(self, key: Key, group: Accumulator) -> Aggregate:
        group.read_the_rest(key[1])
        if group.waiting:
            group.summarize_pending()
        self.found_invalid |= group.invalid
        return Aggregate(
            bucket=key[0],
            pattern=key[1],
            level=key[2],
            source=key[3],
            count=group.count,
            first_seen=group.first[0],
            last_seen=group.latest[0],
            group=key[4],
            metadata=group.metadata,
            samples=group.samples(self._max_samples),
            categories=group.categories,
            tags=group.tags,
            minutes=group.minute_counts(),
            variables=group.variables,
        )
