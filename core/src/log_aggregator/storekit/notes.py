"""Marks and triage as SQL, in the tables `log_marks`, `log_triage` and `log_triage_history` that every store has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from log_aggregator.oncall import MOST_HISTORY, Mark, MarkQuery, Triage, TriageChange
from log_aggregator.storekit.columns import decoded
from log_aggregator.storekit.dialect import Dialect, Where

Rows = Sequence[Sequence[Any]]
Fetch = Callable[[str, list[Any]], Awaitable[Rows]]
Statement = tuple[str, list[Any]]
Write = Callable[[list[Statement]], Awaitable[Rows]]
"""Runs statements in one transaction; the rows of the last one. Raises `RetryableError`."""

_MARK = ("id", "slug", "title", "at", "source", "url", "made_by")
_TRIAGE = (
    "pattern_id", "state", "name", "note", "owner", "muted_until", "mute_times", "mute_rate", "resolved_at",
    "returned_at", "changed_at", "changed_by",
)  # fmt: skip
_TIMES = {"at", "muted_until", "resolved_at", "returned_at", "changed_at"}


class Notes:
    """Asks and writes marks and triage."""

    def __init__(self, dialect: Dialect, fetch: Fetch, write: Write) -> None:
        self._dialect = dialect
        self._fetch = fetch
        self._write = write

    async def marks(self, query: MarkQuery) -> list[Mark]:
        """Marks, newest first."""
        where = Where(self._dialect, "id IS NOT NULL")
        where.since("at", query.since)
        where.until("at", query.until)
        where.equal("slug", query.slug)
        limit = where.value(query.limit)
        rows = await self._fetch(
            f"SELECT {self._read(_MARK)} FROM log_marks {where} ORDER BY at DESC, id DESC LIMIT {limit}",  # noqa: S608  only constants and parameter numbers
            where.values,
        )
        names = [*_MARK[:-1], "by"]
        return [Mark(**dict(zip(names, row, strict=True))) for row in rows]

    async def add_mark(self, mark: Mark) -> None:
        """Keep a mark."""
        values = [mark.id, mark.slug, mark.title, mark.at, mark.source, mark.url, mark.by]
        await self._write([(self._insert("log_marks", _MARK), values)])

    async def remove_mark(self, mark_id: str) -> bool:
        """Forget a mark; whether there was one."""
        return bool(await self._write([("DELETE FROM log_marks WHERE id = $1 RETURNING id", [mark_id])]))

    async def triage(self, pattern_id: str | None = None, family: Sequence[str] = ()) -> dict[str, Triage]:
        """What is stored, by newest ids. `family` are the ids of the one pattern that is asked for.

        Where two triaged patterns became one, the latest change holds.
        """
        where = Where(self._dialect, "g.pattern_id IS NOT NULL")
        if pattern_id is not None:
            where.one_of("g.pattern_id", [pattern_id, *family])
        columns = self._read(_TRIAGE[1:], "g.")
        rows = await self._fetch(
            f"SELECT coalesce(a.final_id, g.pattern_id), {columns} FROM log_triage g "  # noqa: S608  only constants and parameter numbers
            f"LEFT JOIN pattern_aliases a ON a.old_id = g.pattern_id {where} ORDER BY g.changed_at, g.pattern_id",
            where.values,
        )
        found = [Triage(**dict(zip(_TRIAGE, row, strict=True))) for row in rows]
        return {triage.pattern_id: triage for triage in found}

    async def change_triage(self, known: Triage, change: TriageChange) -> Triage:
        """Write the changed triage and its history."""
        changed = known.model_copy(update={**change.fields, "changed_at": change.at, "changed_by": change.by})
        fields = changed.model_dump()
        updates = ", ".join(f"{name} = excluded.{name}" for name in _TRIAGE[1:])
        upsert = f"{self._insert('log_triage', _TRIAGE)} ON CONFLICT (pattern_id) DO UPDATE SET {updates}"
        history = self._insert("log_triage_history", ("pattern_id", "at", "made_by", "change"))
        said = msgspec.json.encode(change.fields).decode()
        await self._write(
            [(upsert, [fields[name] for name in _TRIAGE]), (history, [known.pattern_id, change.at, change.by, said])]
        )
        return changed

    async def history(self, family: Sequence[str]) -> list[TriageChange]:
        """The latest changes of a pattern, newest first."""
        where = Where(self._dialect, "pattern_id IS NOT NULL")
        where.one_of("pattern_id", list(family))
        limit = where.value(MOST_HISTORY)
        rows = await self._fetch(
            f"SELECT {self._read(('at',))}, made_by, change FROM log_triage_history {where} "  # noqa: S608  only constants and parameter numbers
            f"ORDER BY id DESC LIMIT {limit}",
            where.values,
        )
        return [TriageChange(at=at, by=by, fields=_object(change)) for at, by, change in rows]

    def _read(self, names: Sequence[str], prefix: str = "") -> str:
        micros = self._dialect.micros
        return ", ".join(micros(f"{prefix}{name}") if name in _TIMES else f"{prefix}{name}" for name in names)

    def _insert(self, table: str, names: Sequence[str]) -> str:
        moment = self._dialect.moment
        values = [moment(f"${n}") if name in _TIMES else f"${n}" for n, name in enumerate(names, 1)]
        return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)})"  # noqa: S608  only constants and parameter numbers


def _object(text: str) -> dict[str, Any]:
    found = decoded(text)
    return found if isinstance(found, dict) else {}
