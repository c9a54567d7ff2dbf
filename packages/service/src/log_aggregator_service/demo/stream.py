"""When each made-up log is written: a steady stream of all kinds, with an incident in it if wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from string import Formatter
from typing import Any, NamedTuple

from log_aggregator_service.demo.kinds import INCIDENT, KINDS, Kind
from log_aggregator_service.demo.values import DRAW

_AT_ONCE = 512


class Incident(NamedTuple):
    """The payment provider is down from `at` for `seconds`, both in seconds of the stream's own time.

    `strength` is how many logs of trouble come for every ordinary one.
    """

    at: float
    seconds: float = 60.0
    strength: float = 1.0


def stream(
    *, seed: int = 0, start: float = 1_767_225_600.0, rate: float = 100.0, incident: Incident | None = None
) -> Iterator[dict[str, Any]]:
    """Logs without end, each a dictionary that `POST /ingest` takes, in the order of their timestamps.

    `start` is the time of the first log in epoch seconds, `rate` the logs a second (above 0) outside
    an incident: they come at random moments, as independent requests do.
    """
    return (log for _, log in labelled(seed=seed, start=start, rate=rate, incident=incident))


def labelled(
    *, seed: int = 0, start: float = 1_767_225_600.0, rate: float = 100.0, incident: Incident | None = None
) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """As `stream`, each log with the kind that wrote it: what a perfect grouping would find."""
    random = Random(seed)  # noqa: S311  made-up data, not a secret
    usual, trouble = _Mix(KINDS), _Mix(INCIDENT)
    share = incident.strength / (1 + incident.strength) if incident else 0.0
    elapsed = 0.0
    while True:
        in_trouble = incident is not None and incident.at <= elapsed < incident.at + incident.seconds
        elapsed += random.expovariate(rate / (1 - share) if in_trouble else rate)
        mix = trouble if in_trouble and random.random() < share else usual
        maker = mix.choose(random)
        yield maker.kind, maker.make(random, start + elapsed)


class _Mix:
    """Kinds to choose from by their weight."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._makers = [_Maker(kind) for kind in kinds]
        self._weights = list(accumulate(kind.weight for kind in kinds))
        self._chosen: list[_Maker] = []

    def choose(self, random: Random) -> _Maker:
        if not self._chosen:
            self._chosen = random.choices(self._makers, cum_weights=self._weights, k=_AT_ONCE)
        return self._chosen.pop()


class _Maker:
    """Makes the logs of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        named = [field for _, field, _, _ in Formatter().parse(kind.text) if field]
        self._draw = [(name, DRAW[name]) for name in dict.fromkeys((*named, *kind.metadata))]

    def make(self, random: Random, at: float) -> dict[str, Any]:
        kind = self.kind
        values = {name: draw(random) for name, draw in self._draw}
        return {
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
            "level": kind.level,
            "source": kind.source,
            "message": kind.text.format_map(values),
            "metadata": {name: values[name] for name in kind.metadata},
        }
