"""Which values a label may take, so that clients who choose levels and sources cannot flood Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from log_aggregator.model.record import LEVELS

OTHER = "(other)"


def by_level(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of the known levels, each also when it is 0, and of all others together."""
    known = {level: counts.get(level, 0) for level in LEVELS}
    known[OTHER] = sum(count for level, count in counts.items() if level not in known)
    return known


class Sources:
    """The sources that have a label of their own: the first `most`, for as long as the service runs.

    A source never changes sides. If it did, two counters would jump, and rates would be wrong.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._named: set[str] = set()

    def counts(self, counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
        """Each named source with its count, then the others together."""
        free = self._most - len(self._named)
        new = [source for source in counts if source not in self._named and source != OTHER]
        self._named.update(sorted(new, key=lambda source: (-counts[source], source))[:free])
        others = 0
        for source, count in counts.items():
            if source in self._named:
                yield source, count
            else:
                others += count
        yield OTHER, others

    def label(self, source: str) -> str:
        """The label of one source, which becomes a named one while there is room."""
        if source not in self._named and len(self._named) < self._most:
            self._named.add(source)
        return source if source in self._named else OTHER
