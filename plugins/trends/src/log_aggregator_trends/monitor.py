"""The state of one run: tracked series, incidents and the state file, advanced minute by minute."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from log_aggregator.config.rules import Rule
from log_aggregator.sinks import Anomaly, Flush, Position
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.early import QUARTER, STATED_SHARE, EarlyAlarms
from log_aggregator_trends.incidents import Incident, Incidents
from log_aggregator_trends.notifier import Notifier, VisitorsError
from log_aggregator_trends.rules import RuleWatch
from log_aggregator_trends.series import Series, SeriesKey
from log_aggregator_trends.state_file import encode
from log_aggregator_trends.state_thread import StateThread
from log_aggregator_trends.target import Target
from log_aggregator_trends.tracker import SeriesTracker
from log_aggregator_trends.triage import TriageWatch

_MINUTE = 60_000_000
_SAVE_EVERY = 15
_KINDS = (
    *("severe", "error_share", "new_pattern", "spike", "drop", "silence", "level_shift", "error_rate"),
    *("returned", "escalated", "rule"),
)
"""Counted from 0: a rate of a counter that begins with 1 misses its first anomaly."""
_PROTECTED_MINUTES = 24 * 60
_MAX_INSTANCES = 1000
"""Flush positions kept; the number of workers never exceeds it."""

log = logging.getLogger(__name__)


class Monitor:
    """Counts flushes, ends minutes, emits and notifies incidents, and saves the state.

    `file_error` describes why the state file cannot be used at present; `None` while it can.
    """

    def __init__(self, config: TrendsConfig, state: StateThread, emit: Callable[[Anomaly], None], minute: int) -> None:
        self._config = config
        self._state = state
        self._emit = emit
        self._notifier: Notifier | None = None
        # The minute in which the service starts is incomplete.
        self.next_minute = minute + 1
        self.tracker = SeriesTracker(config, self.next_minute)
        self.incidents = Incidents(config.resolve_minutes)
        self.early = EarlyAlarms(config, self.next_minute)
        # The last counted flush of each instance, least recently updated first.
        self.triage = TriageWatch()
        self.rules = RuleWatch()
        self._positions: dict[str, Position] = {}
        # Incidents whose latest revision was in no durable flush when the service started.
        self._unconfirmed: list[Incident] = []
        self._evicted: list[Series] = []
        self._done: list[str] = []
        self._found: Counter[str] = Counter(dict.fromkeys(_KINDS, 0))
        self.file_error: str | None = None

    @classmethod
    async def open(
        cls,
        config: TrendsConfig,
        state: StateThread,
        emit: Callable[[Anomaly], None],
        minute: int,
        rules: Iterable[Rule] = (),
    ) -> Monitor:
        """Load the saved state. `minute` is the current minute since the epoch. Raises `sqlite3.Error`."""
        monitor = cls(config, state, emit, minute)
        monitor._positions = await state.run(lambda file: file.positions())
        first = await state.run(lambda file: file.meta("first_minute"))
        if first is not None:
            monitor.tracker.first_minute = int(first)
        told = await state.run(lambda file: file.meta("early_told"))
        monitor.early = EarlyAlarms(config, monitor.tracker.first_minute, int(told or 0))
        monitor.rules = RuleWatch(rules, monitor.next_minute, await state.run(lambda file: file.meta("rules")))
        for series in await state.run(lambda file: file.awake()):
            monitor.tracker.restore(series)
        monitor.incidents.restore(await state.run(lambda file: file.incidents()))
        return monitor

    def start(self, notifier: Notifier) -> None:
        """Repeat unconfirmed notifications now; unconfirmed anomalies follow when the first minute ends."""
        self._notifier = notifier
        for incident in [*self.incidents.open.values(), *self.incidents.closed.values()]:
            # Restart the count of quiet minutes: nothing was scored while the service was down.
            incident.last_alert = max(incident.last_alert, self.next_minute - 1)
            if incident.stored < incident.revision:
                self._unconfirmed.append(incident)
            notifier.notify(incident)

    async def add_flush(self, flush: Flush) -> None:
        """Count a flush unless it is a redelivery, and record which anomalies it made durable."""
        if self._positions.get(flush.instance) != flush.position:
            matches = await self.rules.matches(flush, self.tracker.is_quiet)
            self._positions.pop(flush.instance, None)
            self._positions[flush.instance] = flush.position
            if len(self._positions) > _MAX_INSTANCES:
                del self._positions[next(iter(self._positions))]
            if not self.triage.asked:
                await self._read_triage()
            findings = self.early.add(flush, self.next_minute, self.tracker.knows, self.tracker.is_quiet)
            findings += self.triage.add(flush)
            findings += self.rules.add(flush, matches)
            self.tracker.add(flush)
            self._tell(self.incidents.add(flush.sealed // _MINUTE, findings))
        carried = []
        for anomaly in flush.anomalies:
            incident = self.incidents.find(anomaly.id)
            if incident is not None and incident.stored < anomaly.revision:
                incident.stored = anomaly.revision
                carried.append(incident)
        if carried:
            # Write at once: the flush is not redelivered, so after a crash its anomalies would be emitted twice.
            await self._write_incidents(carried)

    def skip_to(self, minute: int) -> None:
        """Treat the counts of the minutes before `minute` as unknown."""
        self.next_minute = minute
        self.rules.skip_to(minute)

    async def end_minute(self) -> None:
        """End `next_minute`: score every series, emit and notify changed incidents, save."""
        minute = self.next_minute
        woken: dict[SeriesKey, Series] = {}
        if unknown := self.tracker.unknown:
            try:
                woken = await self._state.run(lambda file: file.wake(unknown))
            except sqlite3.Error as error:
                self._report_file_error(error)
        await self._read_triage()
        findings = await self.tracker.end_minute(minute, woken)
        findings += self.triage.end_minute(self.tracker.last_counts)
        findings += self.rules.end_minute(minute)
        self.next_minute = minute + 1
        incidents = self.incidents.end_minute(minute, findings)
        self._emit_unconfirmed()
        self._tell(incidents)
        self._done += self.incidents.forget_done(self._notifier.names if self._notifier else set())
        self._evicted += self.tracker.evict(minute, self._in_incidents())
        await self._save(lambda series: hash(series.key) % _SAVE_EVERY == minute % _SAVE_EVERY)

    async def _read_triage(self) -> None:
        changed = await self.triage.refresh()
        self.tracker.mute(self.triage.muted, changed)

    def _tell(self, changed: list[Incident]) -> None:
        self._found.update(incident.kind for incident in changed if incident.revision == 1)
        for incident in changed:
            if incident.resolved is not None and incident.kind in {"silence", "drop"} and self._none_tracked(incident):
                incident.resolution = "still silent, no longer watched"
            self._emit(incident.anomaly())
            if self._notifier is not None:
                self._notifier.notify(incident)

    def _emit_unconfirmed(self) -> None:
        """Emit them when the first minute ends: pending flushes were delivered by then and confirmed their own."""
        for incident in self._unconfirmed:
            if incident.stored < incident.revision:
                self._emit(incident.anomaly())
        self._unconfirmed = []

    def _in_incidents(self) -> set[SeriesKey]:
        """Series of open incidents that began within the last day; they stay in memory."""
        return {
            SeriesKey(*name.split(":", 1))
            for incident in self.incidents.open.values()
            if self.next_minute - incident.started // 60_000_000 < _PROTECTED_MINUTES
            for name in incident.members
        }

    def _none_tracked(self, incident: Incident) -> bool:
        return not any(SeriesKey(*name.split(":", 1)) in self.tracker.series for name in incident.members)

    async def _save(self, selected: Callable[[Series], bool]) -> None:
        """Write all incidents, all evicted series, and the series in memory that are in an incident or `selected`."""
        protected = self._in_incidents()
        awake = [encode(s) for s in list(self.tracker.series.values()) if s.key in protected or selected(s)]
        asleep = [encode(series) for series in self._evicted]
        kept = [*self.incidents.open.values(), *self.incidents.closed.values()]
        incidents = [(incident.id, msgspec.msgpack.encode(incident)) for incident in kept]
        done = list(self._done)
        positions = msgspec.json.encode(self._positions).decode()
        meta = {
            "first_minute": str(self.tracker.first_minute),
            "positions": positions,
            "early_told": str(self.early.told),
            "rules": self.rules.state,
        }
        max_asleep = self._config.max_asleep
        try:
            await self._state.run(lambda file: file.write(meta, awake, asleep, incidents, done, max_asleep))
        except sqlite3.Error as error:
            self._report_file_error(error)
            return
        self.file_error = None
        self._evicted = self._evicted[len(asleep) :]
        self._done = self._done[len(done) :]

    def _report_file_error(self, error: sqlite3.Error) -> None:
        if self.file_error is None:
            log.warning("trends state file cannot be read or written", extra={"error": str(error)})
        self.file_error = f"trends state file cannot be read or written: {error}"

    async def record_delivery(self, incident_id: str, target: str, state: str) -> None:
        """Record that `target` received `state`, and write it at once, so that a restart does not repeat it."""
        incident = self.incidents.find(incident_id)
        if incident is None:
            return
        incident.notified[target] = state
        await self._write_incidents([incident])
        if state == "open" and incident.resolved is not None and self._notifier is not None:
            self._notifier.notify(incident)

    async def _write_incidents(self, incidents: list[Incident]) -> None:
        rows = [(incident.id, msgspec.msgpack.encode(incident)) for incident in incidents]
        try:
            await self._state.run(lambda file: file.write({}, [], [], rows, [], 0))
        except sqlite3.Error as error:
            self._report_file_error(error)

    async def close(self) -> None:
        """Save every series and incident."""
        await asyncio.shield(self._save(lambda _series: True))

    def stats(self) -> dict[str, Any]:
        """The plugin's object in `GET /stats`."""
        open_incidents = list(self.incidents.open.values())
        return {
            "series": len(self.tracker.series),
            "late_logs": self.tracker.counts.late,
            "incidents_open": len(open_incidents),
            "incidents_open_notify": sum(incident.tier == "notify" for incident in open_incidents),
            "incidents_since_start": self._found.total(),
            "anomalies": {
                "open": [{"kind": one.kind, "tier": one.tier, "source": one.source} for one in open_incidents],
                "since_start": dict(self._found),
            },
            "targets": self._notifier.stats() if self._notifier is not None else {},
            "learning": self.learning(),
        }

    async def test_targets(self) -> list[dict[str, Any]]:
        """Send a test notification to every target: what became of each, ready for JSON."""
        return await self._notifier.test() if self._notifier is not None else []

    def visit(self, target: Target, seconds: float) -> str:
        """Notify one more target for some seconds; its name. Raises `VisitorsError`."""
        if self._notifier is None:
            raise VisitorsError
        return self._notifier.visit(target, seconds)

    def learning(self) -> dict[str, Any] | None:
        """From when to when (microseconds) series are learned, and what is an alarm meanwhile; `None` afterwards."""
        started, hours = self.tracker.first_minute, self._config.learning_hours
        until = started + round(hours * 60)
        if self.next_minute >= until:
            return None
        kinds, alarms = ["severe", "error_share"], ["any CRITICAL or FATAL log"]
        alarms.append(f"a source with {STATED_SHARE:.0%} errors, or far more than in the hour before")
        quarter = started + QUARTER
        if self.next_minute >= quarter:
            kinds.append("new_pattern")
            alarms.append("an error pattern that was not seen before")
        known = {"alarms": alarms, "kinds": kinds, "error_share": STATED_SHARE}
        return {"started": started * _MINUTE, "until": until * _MINUTE, **known}
