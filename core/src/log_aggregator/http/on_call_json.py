"""Marks and triage as JSON, with their times as ISO 8601."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.oncall import Mark, Triage, TriageChange

_TIMES = ("muted_until", "resolved_at", "returned_at", "changed_at")


def mark_json(mark: Mark) -> dict[str, Any]:
    """A mark."""
    return mark.model_dump() | {"at": to_iso(mark.at)}


def triage_json(triage: Triage) -> dict[str, Any]:
    """A triage; `changed_at` is null where nobody changed anything."""
    return _with_times(triage.model_dump())


def change_json(change: TriageChange) -> dict[str, Any]:
    """One change of a triage."""
    return {"at": to_iso(change.at), "by": change.by, "change": _with_times(dict(change.fields))}


def _with_times(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {name: to_iso(fields[name]) if fields[name] else None for name in _TIMES if name in fields}
