"""One tracked series: its detector, and the description and samples that explain its alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from log_aggregator.sinks import Aggregate
from log_aggregator_trends.detector import MISSED_JOB, Detector, Explanation, explain
from log_aggregator_trends.profile import Profile

SAMPLE_LENGTH = 300
_SAMPLES = 3
_SETTLE = 15
_SHIFT_MINUTES = 60
_SILENT_MINUTES = 2


class SeriesKey(NamedTuple):
    """`kind` is `pattern`, `source`, `errors` or `rule`; `name` a pattern id, a source or the id of a rule."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An alert of one series at one minute. `direction` is 1 for more than expected, -1 for less, 0 for new.

    2 is an alert without a history, 3 one that triage asked for, 4 one of a rule by hand. `figures` are shown beside
    the explanation.
    """

    key: SeriesKey
    kind: str
    direction: int
    score: float
    notify: bool
    explanation: Explanation | None
    figures: dict[str, Any] = field(default_factory=dict)


class Series:
    """The counts of a pattern, of a source, or of the errors of a source."""

    __slots__ = ("detector", "key", "last", "level", "pattern", "profile", "quiet", "samples", "source")

    def __init__(self, key: SeriesKey, detector: Detector | None = None) -> None:
        self.key = key
        self.detector = detector or Detector()
        self.pattern = ""
        self.level = ""
        self.source = key.name if key.kind != "pattern" else ""
        self.last = 0
        self.quiet = False
        self.samples: tuple[str, ...] = ()
        self.profile = Profile()

    def describe(self, aggregate: Aggregate) -> None:
        """Update pattern, level, source, samples and metadata profile from an aggregate of the series."""
        if self.key.kind == "pattern":
            self.pattern, self.level, self.source = aggregate.pattern, aggregate.level, aggregate.source
        if aggregate.samples.messages:
            self.samples = tuple(text[:SAMPLE_LENGTH] for text in aggregate.samples.messages[-_SAMPLES:])
        self.profile.add(aggregate)

    def score_minute(self, minute: int, count: int) -> Finding | None:
        """Score the count of a minute (since the epoch); returns a finding when it alerts."""
        if count:
            self.last = minute
        detector = self.detector
        score = detector.update(minute * 60.0, count)
        if score < detector.threshold:
            if minute % _SETTLE == 0:
                self.profile.settle()
            return None
        if self.quiet:
            return None
        direction = -1 if detector.reason < 0 else 1
        return Finding(
            self.key, self._kind(direction), direction, score, score >= detector.notify_threshold, explain(detector)
        )

    def _kind(self, direction: int) -> str:
        detector = self.detector
        if direction < 0:
            if detector.reason == MISSED_JOB:
                return "silence"
            return "silence" if detector.silence.minutes >= _SILENT_MINUTES else "drop"
        if self.key.kind == "errors":
            return "error_rate"
        lasting = detector.minute - detector.alarm.opened >= _SHIFT_MINUTES or detector.reason >= 5
        return "level_shift" if lasting else "spike"

    @property
    def adopted(self) -> bool:
        """Whether the detector expects a changed level."""
        return self.detector.saved_rate > 0.0
