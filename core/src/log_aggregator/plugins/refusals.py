"""How many records each `on_ingest` plugin dropped and rejected, by reason."""

from __future__ import annotations

from collections import Counter

from log_aggregator.model.batch import WorkingBatch

MAX_REASONS = 50
"""Reasons of one plugin that are counted apart; later ones are counted together as `(other)`."""

MAX_REASON = 200
"""Characters of a reason that are kept."""


class Refusals:
    """Counts since the start."""

    def __init__(self) -> None:
        self.dropped: dict[str, Counter[str]] = {}
        self.rejected: dict[str, Counter[str]] = {}

    def count(self, plugin: str, batch: WorkingBatch) -> list[tuple[object, str]]:
        """Count what a plugin dropped and rejected of a batch; the rejected records with their reasons."""
        dropped, rejected = batch.refused()
        for _, reason in dropped:
            _count(self.dropped.setdefault(plugin, Counter()), reason)
        for _, reason in rejected:
            _count(self.rejected.setdefault(plugin, Counter()), reason)
        return [(record, str(reason)) for record, reason in rejected]

    def stats(self, plugin: str) -> dict[str, dict[str, int]]:
        """The counts of one plugin by reason; empty when it refused nothing."""
        found = {"dropped": self.dropped.get(plugin), "rejected": self.rejected.get(plugin)}
        return {name: dict(counts) for name, counts in found.items() if counts}


def _count(counts: Counter[str], reason: object) -> None:
    name = str(reason)[:MAX_REASON]
    counts[name if name in counts or len(counts) < MAX_REASONS else "(other)"] += 1
