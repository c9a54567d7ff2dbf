"""One run of the service: the watch, the incidents and the file, put together minute by minute."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from log_aggregator.sinks import Anomaly, Flush, Position
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.incidents import Incident, Incidents
from log_aggregator_trends.keeper import Keeper
from log_aggregator_trends.notifier import Notifier
from log_aggregator_trends.saved import encode
from log_aggregator_trends.series import Series, SeriesKey
from log_aggregator_trends.watch import Watch

_SAVE_EVERY = 15
_FORGET_AFTER = 24 * 60
_MOST_INSTANCES = 1000
"""As many as there can be workers."""

log = logging.getLogger(__name__)


class Room:
    """Everything the plugin knows while it runs."""

    def __init__(self, config: TrendsConfig, keeper: Keeper, emit: Callable[[Anomaly], None], minute: int) -> None:
        self._config = config
        self._keeper = keeper
        self._emit = emit
        self._notifier: Notifier | None = None
        # The minute in which the service starts is seen in part only.
        self.next_minute = minute + 1
        self.watch = Watch(config, self.next_minute)
        self.incidents = Incidents(config.resolve_minutes)
        # The flush counted last of each instance, the longest unheard instance first.
        self._positions: dict[str, Position] = {}
        # Incidents that no flush is known to have carried before the start.
        self._unsure: list[Incident] = []
        self._gone: list[Series] = []
        self._done: list[str] = []
        self._found = 0
        self.trouble: str | None = None

    @classmethod
    async def open(cls, config: TrendsConfig, keeper: Keeper, emit: Callable[[Anomaly], None], minute: int) -> Room:
        """Read what was saved. `minute` is the present one."""
        room = cls(config, keeper, emit, minute)
        room._positions = await keeper.ask(lambda saved: saved.positions())
        first = await keeper.ask(lambda saved: saved.meta("first_minute"))
        if first is not None:
            room.watch.first_minute = int(first)
        for series in await keeper.ask(lambda saved: saved.awake()):
            room.watch.adopt(series)
        room.incidents.restore(await keeper.ask(lambda saved: saved.incidents()))
        return room

    def start(self, notifier: Notifier) -> None:
        """Tell again what nobody is known to know: messages, and later the anomalies that no flush carried."""
        self._notifier = notifier
        for incident in [*self.incidents.open.values(), *self.incidents.closed.values()]:
            # The quiet minutes before the end begin anew: nobody watched meanwhile.
            incident.last_alert = max(incident.last_alert, self.next_minute - 1)
            if incident.stored < incident.revision:
                self._unsure.append(incident)
            notifier.tell(incident)

    async def take(self, flush: Flush) -> None:
        """Count a flush, unless it is counted already, and write down which anomalies it made durable."""
        if self._positions.get(flush.instance) != flush.position:
            self._positions.pop(flush.instance, None)
            self._positions[flush.instance] = flush.position
            if len(self._positions) > _MOST_INSTANCES:
                del self._positions[next(iter(self._positions))]
            self.watch.add(flush)
        carried = []
        for anomaly in flush.anomalies:
            incident = self.incidents.find(anomaly.id)
            if incident is not None and incident.stored < anomaly.revision:
                incident.stored = anomaly.revision
                carried.append(incident)
        if carried:
            # At once: this flush does not come again, and after a crash its anomalies would be sent twice.
            await self._write_incidents(carried)

    def skip_to(self, minute: int) -> None:
        """Leave out the minutes before `minute`: they are unknown."""
        self.next_minute = minute

    async def end_minute(self) -> None:
        """End `next_minute`: score every series, tell what is new of the incidents, save."""
        minute = self.next_minute
        woken: dict[SeriesKey, Series] = {}
        if unknown := self.watch.unknown:
            try:
                woken = await self._keeper.ask(lambda saved: saved.wake(unknown))
            except sqlite3.Error as error:
                self._complain(error)
        findings = await self.watch.minute(minute, woken)
        self.next_minute = minute + 1
        changed = self.incidents.minute(minute, findings)
        self._found += sum(incident.revision == 1 for incident in changed)
        self._emit_unsure()
        for incident in changed:
            if incident.resolved is not None and incident.kind in {"silence", "drop"} and self._all_left(incident):
                incident.resolution = "still silent, no longer watched"
            self._emit(incident.anomaly())
            if self._notifier is not None:
                self._notifier.tell(incident)
        self._done += self.incidents.forget_done(self._notifier.names if self._notifier else set())
        self._gone += self.watch.to_put_away(minute, self._busy())
        await self._save(lambda series: hash(series.key) % _SAVE_EVERY == minute % _SAVE_EVERY)

    def _emit_unsure(self) -> None:
        """Once, when the first minute ends: a flush that waited for this plugin has come by then and made them sure."""
        for incident in self._unsure:
            if incident.stored < incident.revision:
                self._emit(incident.anomaly())
        self._unsure = []

    def _busy(self) -> set[SeriesKey]:
        """Series of open incidents stay awake, for a day."""
        return {
            SeriesKey(*name.split(":", 1))
            for incident in self.incidents.open.values()
            if self.next_minute - incident.started // 60_000_000 < _FORGET_AFTER
            for name in incident.members
        }

    def _all_left(self, incident: Incident) -> bool:
        return not any(SeriesKey(*name.split(":", 1)) in self.watch.series for name in incident.members)

    async def _save(self, wanted: Callable[[Series], bool]) -> None:
        """Write the incidents and those series that are `wanted` or in an incident; those put away in any case."""
        busy = self._busy()
        awake = [encode(s) for s in list(self.watch.series.values()) if s.key in busy or wanted(s)]
        asleep = [encode(series) for series in self._gone]
        kept = [*self.incidents.open.values(), *self.incidents.closed.values()]
        incidents = [(incident.id, msgspec.msgpack.encode(incident)) for incident in kept]
        done = list(self._done)
        positions = msgspec.json.encode(self._positions).decode()
        meta = {"first_minute": str(self.watch.first_minute), "positions": positions}
        most = self._config.max_asleep
        try:
            await self._keeper.ask(lambda saved: saved.write(meta, awake, asleep, incidents, done, most))
        except sqlite3.Error as error:
            self._complain(error)
            return
        self.trouble = None
        self._gone = self._gone[len(asleep) :]
        self._done = self._done[len(done) :]

    def _complain(self, error: sqlite3.Error) -> None:
        if self.trouble is None:
            log.warning("the trends file cannot be used for now", extra={"error": str(error)})
        self.trouble = f"the trends file cannot be used: {error}"

    async def told(self, incident_id: str, target: str, state: str) -> None:
        """A target knows the state of an incident now: written at once, so that a restart does not tell it again."""
        incident = self.incidents.find(incident_id)
        if incident is None:
            return
        incident.told[target] = state
        await self._write_incidents([incident])
        if state == "open" and incident.resolved is not None and self._notifier is not None:
            self._notifier.tell(incident)

    async def _write_incidents(self, incidents: list[Incident]) -> None:
        rows = [(incident.id, msgspec.msgpack.encode(incident)) for incident in incidents]
        try:
            await self._keeper.ask(lambda saved: saved.write({}, [], [], rows, [], 0))
        except sqlite3.Error as error:
            self._complain(error)

    async def close(self) -> None:
        """Write everything."""
        await asyncio.shield(self._save(lambda _series: True))

    def figures(self) -> dict[str, Any]:
        """What `/stats` shows."""
        open_incidents = list(self.incidents.open.values())
        return {
            "series": len(self.watch.series),
            "late_logs": self.watch.counts.late,
            "incidents_open": len(open_incidents),
            "incidents_open_notify": sum(incident.tier == "notify" for incident in open_incidents),
            "incidents_since_start": self._found,
            "targets": self._notifier.figures() if self._notifier is not None else {},
        }
