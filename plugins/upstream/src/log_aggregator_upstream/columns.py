"""Aggregates in columns: alike values lie together, which compresses to two thirds of what aggregates one by one do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from log_aggregator.model.numbers import Numbers
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import KeySummary, Summary
from log_aggregator.model.values import MAX_VALUES, MOST, Values, fold
from log_aggregator.sinks import Aggregate

PLACES = 10_000
"""Draws are rounded to four places: on their way they are whole numbers."""


class NumberColumns(msgspec.Struct, array_like=True):
    """The statistics of numbers, of those keys that have any. Bins are the first index and the distances behind it."""

    units: list[str] = []
    counts: list[int] = []
    lows: list[float] = []
    highs: list[float] = []
    nanos: list[str] = []
    zeros: list[int] = []
    bins: list[list[int]] = []
    in_bins: list[list[int]] = []

    def add(self, numbers: Numbers) -> None:
        """Append one."""
        indexes = sorted(numbers.bins)
        self.units.append(numbers.unit)
        self.counts.append(numbers.count)
        self.lows.append(numbers.low)
        self.highs.append(numbers.high)
        self.nanos.append(numbers.nanos)
        self.zeros.append(numbers.zeros)
        self.bins.append([index - before for before, index in zip([0, *indexes], indexes, strict=False)])
        self.in_bins.append([numbers.bins[index] for index in indexes])

    def each(self) -> Iterator[Numbers]:
        """All of them, in order. Raises `ValueError` when the columns do not fit together."""
        rows = zip(
            self.units, self.counts, self.lows, self.highs, self.nanos, self.zeros, self.bins, self.in_bins, strict=True
        )
        for unit, count, low, high, nanos, zeros, distances, in_bins in rows:
            bins: dict[int, int] = {}
            index = 0
            for distance, logs in zip(distances, in_bins, strict=True):
                index += distance
                bins[index] = logs
            yield Numbers(unit, count, low, high, nanos, zeros, bins)


class KeyColumns(msgspec.Struct, array_like=True):
    """The summaries of all aggregates, a key after the other.

    Where all values of a key are known, no draws are sent: a draw is a random number of a value's count, so the service
    that takes them in draws anew. Drawn values that are kept too are sent as their place among those.
    """

    names: list[str] = []
    counts: list[int] = []
    kept: list[list[str]] = []
    kept_counts: list[list[int]] = []
    drawn: list[list[int | str]] = []
    draws: list[list[int]] = []
    cells: list[list[int]] = []
    has_numbers: list[bool] = []
    numbers: NumberColumns = msgspec.field(default_factory=NumberColumns)

    def add(self, name: str, entry: KeySummary) -> None:
        """Append one key."""
        values, numbers = entry.values, entry.numbers
        places = {value: place for place, value in enumerate(values.kept)}
        draws = {} if values.complete else values.draws
        self.names.append(name)
        self.counts.append(entry.count)
        self.kept.append(list(values.kept))
        self.kept_counts.append(list(values.kept.values()))
        self.drawn.append([places.get(value, value) for value in draws])
        self.draws.append([round(draw * PLACES) for draw in draws.values()])
        self.cells.append(values.cells)
        self.has_numbers.append(numbers is not None)
        if numbers is not None:
            self.numbers.add(numbers)

    def each(self) -> Iterator[tuple[str, KeySummary]]:
        """All keys, in order. Raises `ValueError` when the columns do not fit together."""
        numbers = self.numbers.each()
        rows = zip(
            self.names, self.counts, self.kept, self.kept_counts, self.drawn, self.draws, self.cells, self.has_numbers,
            strict=True,
        )  # fmt: skip
        for name, count, kept, kept_counts, drawn, draws, cells, has_numbers in rows:
            counts = dict(zip(kept, kept_counts, strict=True))
            if cells or not all(1 <= one <= MOST for one in kept_counts) or len(counts) > MAX_VALUES:
                texts = [kept[one] if isinstance(one, int) else one for one in drawn]
                values = Values(counts, {text: draw / PLACES for text, draw in zip(texts, draws, strict=True)}, cells)
            else:
                values = fold(counts)
            of_key = next(numbers, None) if has_numbers else None
            if has_numbers and of_key is None:
                raise ValueError("fewer numbers than keys that have some")
            yield name, KeySummary.of(count, values, of_key)


class Columns(msgspec.Struct, array_like=True):
    """Aggregates by their fields; `metadata` and `variables` say how many of `keys` belong to each."""

    buckets: list[int] = []
    patterns: list[str] = []
    levels: list[str] = []
    sources: list[str] = []
    counts: list[int] = []
    first_seen: list[int] = []
    last_seen: list[int] = []
    groups: list[str] = []
    samples: list[Samples] = []
    categories: list[dict[str, int]] = []
    tags: list[dict[str, int]] = []
    minutes: list[tuple[int, ...]] = []
    metadata: list[int] = []
    variables: list[int] = []
    keys: KeyColumns = msgspec.field(default_factory=KeyColumns)

    @classmethod
    def of(cls, aggregates: Iterable[Aggregate]) -> Columns:
        """The columns of some aggregates."""
        columns = cls()
        for one in aggregates:
            columns._add(one)
        return columns

    def _add(self, one: Aggregate) -> None:
        begin = one.bucket * 1_000_000
        self.buckets.append(one.bucket)
        self.patterns.append(one.pattern)
        self.levels.append(one.level)
        self.sources.append(one.source)
        self.counts.append(one.count)
        self.first_seen.append(one.first_seen - begin)
        self.last_seen.append(one.last_seen - one.first_seen)
        self.groups.append(one.group)
        self.samples.append(one.samples)
        self.categories.append(one.categories)
        self.tags.append(one.tags)
        self.minutes.append(one.minutes)
        for counts, summary in ((self.metadata, one.metadata), (self.variables, one.variables)):
            counts.append(len(summary))
            for name, entry in summary.items():
                self.keys.add(name, entry)

    def aggregates(self) -> Iterator[Aggregate]:
        """The aggregates. Raises `ValueError` when the columns do not fit together."""
        keys = list(self.keys.each())
        if any(count < 0 for count in (*self.metadata, *self.variables)):
            raise ValueError("a number of keys below 0")
        if sum(self.metadata) + sum(self.variables) != len(keys):
            raise ValueError("other numbers of keys than there are")
        place = 0
        rows = zip(
            self.buckets, self.patterns, self.levels, self.sources, self.counts, self.first_seen, self.last_seen,
            self.groups, self.samples, self.categories, self.tags, self.minutes, self.metadata, self.variables,
            strict=True,
        )  # fmt: skip
        for bucket, pattern, level, source, count, first, last, *described, metadata, variables in rows:
            group, samples, categories, tags, minutes = described
            begin = bucket * 1_000_000 + first
            middle, end = place + metadata, place + metadata + variables
            yield Aggregate(
                bucket, pattern, level, source, count, begin, begin + last, group, _summary(keys[place:middle]),
                samples, categories, tags, minutes, _summary(keys[middle:end]),
            )  # fmt: skip
            place = end


def _summary(keys: Sequence[tuple[str, KeySummary]]) -> Summary:
    return dict(keys)
