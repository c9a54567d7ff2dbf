"""Aliases and anomalies that wait for the next flush."""

from __future__ import annotations

from log_aggregator.model.aggregate import Alias, Anomaly


class Events:
    """Events since the last seal; true when there are any."""

    def __init__(self) -> None:
        self._aliases: list[Alias] = []
        self._anomalies: dict[str, Anomaly] = {}

    def __bool__(self) -> bool:
        return bool(self._aliases or self._anomalies)

    def add(self, event: Alias | Anomaly) -> None:
        """Add an event; of an anomaly only the newest revision is kept."""
        if isinstance(event, Alias):
            self._aliases.append(event)
            return
        known = self._anomalies.get(event.id)
        if known is None or event.revision >= known.revision:
            self._anomalies[event.id] = event

    def take(self) -> tuple[list[Alias], list[Anomaly]]:
        """Remove and return all of them."""
        taken = self._aliases, list(self._anomalies.values())
        self._aliases, self._anomalies = [], {}
        return taken
