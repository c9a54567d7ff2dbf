"""Outcomes as text for people and as one JSON object a line for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from log_aggregator_service.commands.screen import plain
from log_aggregator_service.trial.outcomes import Outcome


def as_object(outcome: Outcome) -> dict[str, Any]:
    """Everything that is known of a log. Its fields are missing when it was rejected as no log."""
    found: dict[str, Any] = {"number": outcome.number, "outcome": outcome.what}
    if outcome.what != "kept":
        found |= {"by": outcome.by, "reason": outcome.reason}
    record = outcome.record
    if record is None:
        found["text"] = outcome.text
    else:
        found |= {
            "message": record.message,
            "level": record.level,
            "level_is_explicit": record.level_is_explicit,
            "time": iso(record.timestamp),
            "source": record.source,
            "pattern": outcome.pattern,
            "pattern_id": outcome.pattern_id,
            "category": record.category,
            "tags": list(record.tags),
            "metadata": record.metadata,
        }
    found["failures"] = [failure._asdict() for failure in outcome.failures]
    return found


def iso(microseconds: int) -> str:
    """A time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat().replace("+00:00", "Z")


def as_json(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line a log."""
    for outcome in outcomes:
        yield msgspec.json.encode(as_object(outcome), enc_hook=str).decode() + "\n"


def as_text(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A few lines a log, and a last line with the sums."""
    for outcome in outcomes:
        yield f"{outcome.number}: {plain(outcome.record.message if outcome.record else outcome.text)}\n"
        yield from (f"   {name:<9} {plain(text)}\n" for name, text in _rows(outcome) if text)
    counts = {what: sum(one.what == what for one in outcomes) for what in ("kept", "dropped", "rejected")}
    patterns = len({one.pattern for one in outcomes if one.what == "kept"})
    failures = sum(bool(one.failures) for one in outcomes)
    yield f"{len(outcomes):,} logs: {counts['kept']:,} kept in {patterns:,} patterns"
    yield f", {counts['dropped']:,} dropped, {counts['rejected']:,} rejected"
    yield f", {failures:,} at which a stage failed\n" if failures else "\n"


def _rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    record = outcome.record
    if outcome.what != "kept":
        yield outcome.what, f"by {outcome.by}: {outcome.reason}"
    for failure in outcome.failures:
        yield "failed", f"{failure.plugin}, {failure.hook}: {failure.error}"
    if record is None or outcome.what != "kept":
        return
    yield "pattern", f"{outcome.pattern}  ({outcome.pattern_id})"
    yield "level", record.level if record.level_is_explicit else f"{record.level} (not sent)"
    yield "source", record.source
    yield "time", iso(record.timestamp)
    yield "category", record.category
    yield "tags", ", ".join(record.tags)
    yield "metadata", msgspec.json.encode(record.metadata, enc_hook=str).decode() if record.metadata else ""
