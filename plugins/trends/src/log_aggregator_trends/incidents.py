"""Incidents: one per cause, from its first alert until it is resolved, and its form as an anomaly."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from log_aggregator.sinks import Anomaly
from log_aggregator_trends.series import Finding, Series

_FAMILIES = {1: "more", -1: "less", 0: "new", 2: "start", 3: "triage", 4: "rule"}
_OF_ALL_SOURCES, _OF_ONE_PATTERN, _OF_ONE_RULE = 2, 3, 4
"""Findings without a history share one incident, so that a start has one alarm; those of triage and of rules have one
each."""

_MAX_MEMBERS = 10
_SCORE_STEP = 0.1
_MINUTE = 60_000_000
_SEVERITY = (
    "new_pattern", "spike", "drop", "level_shift", "silence", "escalated", "returned", "error_rate", "error_share",
    "severe", "rule",
)  # fmt: skip


class Incident(msgspec.Struct):
    """The alerts of one source in one direction. Times are microseconds, `last_alert` minutes, since the epoch.

    `members` maps a series' key, joined by colons, to its latest finding; `notified` maps a target to the last
    state it received (`open` or `resolved`). `stored` is the latest revision known to be in a durable flush.
    """

    id: str
    cause: str
    kind: str
    tier: str
    pattern_id: str
    pattern: str
    level: str
    source: str
    started: int
    updated: int
    score: float
    last_alert: int
    revision: int = 0
    stored: int = -1
    resolved: int | None = None
    resolution: str = ""
    more_members: int = 0
    members: dict[str, dict[str, Any]] = {}
    notified: dict[str, str] = msgspec.field(default_factory=dict, name="told")

    def anomaly(self) -> Anomaly:
        """The anomaly that the stores receive."""
        details: dict[str, Any] = {"cause": self.cause, "series": list(self.members.values())}
        if self.more_members:
            details["more_series"] = self.more_members
        if self.resolution:
            details["resolution"] = self.resolution
        return Anomaly(
            id=self.id,
            kind=self.kind,
            state="open" if self.resolved is None else "resolved",
            tier=self.tier,
            pattern_id=self.pattern_id,
            pattern=self.pattern,
            level=self.level,
            source=self.source,
            started=self.started,
            updated=self.updated,
            score=round(self.score, 4),
            revision=self.revision,
            resolved=self.resolved,
            details=details,
        )


def cause_of(finding: Finding, series: Series) -> str:
    """The cause of a finding: its direction and source, or pattern. Findings with the same cause share an incident."""
    if finding.direction in (_OF_ONE_PATTERN, _OF_ONE_RULE):
        return f"{_FAMILIES[finding.direction]}:{finding.key.name}"
    return f"{_FAMILIES[finding.direction]}:{'' if finding.direction == _OF_ALL_SOURCES else series.source}"


class Incidents:
    """Open incidents by cause, and closed ones by id until they are stored and their targets notified."""

    def __init__(self, resolve_minutes: int) -> None:
        self._resolve_minutes = resolve_minutes
        self.open: dict[str, Incident] = {}
        self.closed: dict[str, Incident] = {}

    def restore(self, incidents: list[Incident]) -> None:
        """Continue the saved incidents."""
        for incident in incidents:
            if incident.resolved is None:
                self.open[incident.cause] = incident
            else:
                self.closed[incident.id] = incident

    def find(self, incident_id: str) -> Incident | None:
        """The open or closed incident with this id; `None` when it is unknown or forgotten."""
        if incident_id in self.closed:
            return self.closed[incident_id]
        return next((incident for incident in self.open.values() if incident.id == incident_id), None)

    def add(self, minute: int, findings: list[tuple[Finding, Series]]) -> list[Incident]:
        """Add findings of a minute that has not ended, most important first; returns the changed incidents."""
        return self._revised(minute, self._added(minute, findings))

    def end_minute(self, minute: int, findings: list[tuple[Finding, Series]]) -> list[Incident]:
        """Add the findings of a minute, most important first, and resolve quiet incidents; returns those changed."""
        changed = self._added(minute, findings)
        for incident in list(self.open.values()):
            if minute - incident.last_alert >= self._resolve_minutes:
                self._resolve(incident, minute)
                changed[incident.id] = incident
        return self._revised(minute, changed)

    def _added(self, minute: int, findings: list[tuple[Finding, Series]]) -> dict[str, Incident]:
        changed: dict[str, Incident] = {}
        for finding, series in findings:
            incident = self._add(minute, finding, series)
            if incident is not None:
                changed[incident.id] = incident
        return changed

    @staticmethod
    def _revised(minute: int, changed: dict[str, Incident]) -> list[Incident]:
        for incident in changed.values():
            incident.revision += 1
            incident.updated = max(incident.updated, (minute + 1) * _MINUTE)
        return list(changed.values())

    def _add(self, minute: int, finding: Finding, series: Series) -> Incident | None:
        """Add a finding to its incident; returns the incident when it needs a new revision."""
        cause = cause_of(finding, series)
        incident = self.open.get(cause)
        if incident is None:
            incident = self.open[cause] = _begin(minute, cause, finding, series)
            news = True
        else:
            incident.last_alert = max(incident.last_alert, minute)
            news = self._is_news(incident, finding)
        if finding.notify:
            incident.tier = "notify"
        incident.score = max(incident.score, finding.score)
        if _SEVERITY.index(finding.kind) > _SEVERITY.index(incident.kind):
            incident.kind = finding.kind
        name = ":".join(finding.key)
        if name in incident.members or len(incident.members) < _MAX_MEMBERS:
            since = incident.members.get(name, {}).get("since", minute * _MINUTE)
            incident.members[name] = _member(finding, series, since)
        else:
            incident.more_members += 1
        return incident if news else None

    @staticmethod
    def _is_news(incident: Incident, finding: Finding) -> bool:
        name = ":".join(finding.key)
        return (
            (finding.notify and incident.tier != "notify")
            or finding.score >= incident.score + _SCORE_STEP
            or _SEVERITY.index(finding.kind) > _SEVERITY.index(incident.kind)
            or (name not in incident.members and len(incident.members) < _MAX_MEMBERS)
        )

    def _resolve(self, incident: Incident, minute: int) -> None:
        del self.open[incident.cause]
        self.closed[incident.id] = incident
        incident.resolved = (minute + 1) * _MINUTE
        incident.resolution = "new normal" if incident.kind == "level_shift" else "back to normal"
        if all("missed_run" in member for member in incident.members.values()):
            incident.resolution = "a missed run is reported once"
        if incident.kind in ("new_pattern", "returned", "escalated"):
            incident.resolution = "known now"

    def forget_done(self, targets: set[str]) -> list[str]:
        """Drop closed incidents that are stored and that all `targets` know as resolved; returns their ids."""
        done = [
            incident.id
            for incident in self.closed.values()
            if incident.stored >= incident.revision
            and (incident.tier != "notify" or all(incident.notified.get(name) == "resolved" for name in targets))
        ]
        for incident_id in done:
            del self.closed[incident_id]
        return done


def _begin(minute: int, cause: str, finding: Finding, series: Series) -> Incident:
    started = minute * _MINUTE
    identity = hashlib.blake2b(f"{cause}:{started}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    pattern = series.key.kind == "pattern"
    return Incident(
        id=identity,
        cause=cause,
        kind=finding.kind,
        tier="recorded",
        pattern_id=series.key.name if pattern else "",
        pattern=series.pattern,
        level=series.level,
        source=series.source,
        started=started,
        updated=started,
        score=finding.score,
        last_alert=minute,
    )


def _member(finding: Finding, series: Series, since: int) -> dict[str, Any]:
    member: dict[str, Any] = {"series": ":".join(finding.key), "kind": finding.kind, "since": since}
    if series.pattern:
        member["pattern"] = series.pattern
    member |= finding.figures
    if finding.explanation is not None:
        member |= {
            "window_minutes": finding.explanation.window,
            "expected": finding.explanation.expected,
            "expected_range": [finding.explanation.low, finding.explanation.high],
            "seen": finding.explanation.seen,
            "one_in_10_to_the": finding.explanation.surprise,
        }
        if finding.explanation.missed_run:
            member["missed_run"] = True
        if finding.explanation.silent:
            member["silent_minutes"] = finding.explanation.silent
    if series.samples:
        member["samples"] = list(series.samples)
    if finding.direction > 0 and (rows := series.profile.over_represented()):
        member["over_represented"] = rows
    return member
