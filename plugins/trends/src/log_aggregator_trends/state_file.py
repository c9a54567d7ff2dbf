"""The SQLite file with the plugin's state: series with their detectors, incidents, and flush positions."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec

from log_aggregator.sinks import Position
from log_aggregator_trends.detector import pack, unpack
from log_aggregator_trends.incidents import Incident
from log_aggregator_trends.profile import ValueCounts
from log_aggregator_trends.series import Series, SeriesKey

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series (
    kind TEXT NOT NULL, name TEXT NOT NULL, awake INTEGER NOT NULL, last INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS series_last ON series (awake, last);
CREATE TABLE IF NOT EXISTS incidents (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""


class _Body(msgspec.Struct, array_like=True):
    pattern: str
    level: str
    source: str
    samples: tuple[str, ...]
    usual: ValueCounts
    usual_total: float
    detector: bytes


class StateFile:
    """The state file. Its methods block: call them through `StateThread`."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. A corrupt file is renamed to `moved_to`, and an empty one replaces it.

        Raises `sqlite3.Error` when the file cannot be created.
        """
        self.moved_to: Path | None = None
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError:
            self.moved_to = path.with_name(f"{path.name}.broken-{int(time.time())}")
            path.rename(self.moved_to)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._db = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-512")  # KiB; the default of 2 MiB would be idle between two saves
            db.executescript(_SCHEMA)
            db.execute("SELECT count(*) FROM series, incidents").fetchone()
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def meta(self, name: str) -> str | None:
        """The saved value of this name, if any."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def positions(self) -> dict[str, Position]:
        """The last counted flush of each instance, least recently updated first."""
        return msgspec.json.decode(self.meta("positions") or "{}", type=dict[str, Position])

    def awake(self) -> list[Series]:
        """The series that were in memory at the last save."""
        rows = self._db.execute("SELECT kind, name, last, body FROM series WHERE awake = 1").fetchall()
        return [_series(SeriesKey(kind, name), last, body) for kind, name, last, body in rows]

    def wake(self, keys: list[SeriesKey]) -> dict[SeriesKey, Series]:
        """The saved series among `keys`."""
        found: dict[SeriesKey, Series] = {}
        for key in keys:
            row = self._db.execute(
                "SELECT last, body FROM series WHERE kind = ? AND name = ?", (key.kind, key.name)
            ).fetchone()
            if row is not None:
                found[key] = _series(key, row[0], row[1])
        return found

    def incidents(self) -> list[Incident]:
        """The saved incidents: open, or closed and not yet stored or notified."""
        found: list[Incident] = []
        for (body,) in self._db.execute("SELECT body FROM incidents"):
            try:
                found.append(msgspec.msgpack.decode(body, type=Incident))
            except msgspec.DecodeError:  # of another version: if it continues, it is raised again
                continue
        return found

    def write(
        self,
        meta: dict[str, str],
        awake: list[tuple[SeriesKey, int, bytes]],
        asleep: list[tuple[SeriesKey, int, bytes]],
        incidents: list[tuple[str, bytes]],
        done: list[str],
        max_asleep: int,
    ) -> None:
        """Write the changes in one transaction; keeps the `max_asleep` most recent of the series on disk."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
            rows = [(k.kind, k.name, 1, last, body) for k, last, body in awake]
            rows += [(k.kind, k.name, 0, last, body) for k, last, body in asleep]
            db.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany("INSERT OR REPLACE INTO incidents VALUES (?, ?)", incidents)
            db.executemany("DELETE FROM incidents WHERE id = ?", [(name,) for name in done])
            if asleep:
                (count,) = db.execute("SELECT count(*) FROM series WHERE awake = 0").fetchone()
                db.execute(
                    "DELETE FROM series WHERE (kind, name) IN "
                    "(SELECT kind, name FROM series WHERE awake = 0 ORDER BY last LIMIT ?)",
                    (max(0, count - max_asleep),),
                )
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise


def encode(series: Series) -> tuple[SeriesKey, int, bytes]:
    """Encode a series for `StateFile.write`. Called on the event loop, so that the thread gets a snapshot."""
    body = _Body(
        series.pattern,
        series.level,
        series.source,
        series.samples,
        series.profile.usual,
        series.profile.usual_total,
        pack(series.detector),
    )
    return series.key, series.last, msgspec.msgpack.encode(body)


def _series(key: SeriesKey, last: int, body: bytes) -> Series:
    series = Series(key)
    series.last = last
    try:
        stored = msgspec.msgpack.decode(body, type=_Body)
    except msgspec.DecodeError:  # of another version: the pattern is known, its statistics are learned again
        return series
    series.pattern, series.level, series.source, series.samples = (
        stored.pattern,
        stored.level,
        stored.source,
        stored.samples,
    )
    series.profile.usual, series.profile.usual_total = stored.usual, stored.usual_total
    detector = unpack(stored.detector)
    if detector is not None:
        series.detector = detector
    return series
