"""How answers are kept small: texts are clipped, dictionaries topped, and the whole has a bound."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from log_aggregator.model.record import LEVELS

MAX_CHARACTERS: ContextVar[int] = ContextVar("MAX_CHARACTERS", default=8000)
"""Of one answer."""

PATTERN_CHARACTERS = 240
SAMPLE_CHARACTERS = 240
_TRACE_LINES, _LINE_CHARACTERS = 3, 100

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Bidirectional and zero-width characters, variation selectors and tags."""


def render(document: Mapping[str, Any]) -> str:
    """The answer as compact JSON, with characters that are not seen by their numbers.

    When it is too long, the last entries of its longest list are left out. A list that was shortened is followed by
    `left_out`, how many entries are missing.
    """
    shown = dict(document)
    text = _text(shown)
    lists = {name: list(value) for name, value in document.items() if isinstance(value, list)}
    while len(text) > MAX_CHARACTERS.get() and any(lists.values()):
        longest = max(lists, key=lambda name: len(_text(lists[name])))
        keep = len(lists[longest]) * MAX_CHARACTERS.get() // (len(text) + 1)
        lists[longest] = lists[longest][: min(keep, len(lists[longest]) - 1)]
        left_out = sum(len(document[name]) - len(kept) for name, kept in lists.items())
        shown = {**document, **lists, "left_out": f"{left_out} entries: ask for less, or for a part"}
        text = _text(shown)
    return text


def clip(text: str, most: int) -> str:
    """A text on one line, cut with a mark."""
    line = " ".join(seen(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def clip_sample(text: str) -> str:
    """A message in short: on one line; of a stack trace the exception and the raising frame, wherever it has them."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) <= 2 * _TRACE_LINES:
        return clip(text, SAMPLE_CHARACTERS)
    first, last = lines[:_TRACE_LINES], lines[-_TRACE_LINES:]
    return " ".join(clip(line, _LINE_CHARACTERS) for line in (*first, "…", *last))


def seen(text: str) -> str:
    """The text with characters that are not seen, or that turn its direction, by their numbers: `⟨U+202E⟩`."""
    return text if text.isascii() else _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def top(counts: Mapping[str, float], most: int = 5) -> dict[str, float]:
    """The largest entries; the others are summed under `(other)`."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = dict(ordered[:most])
    if len(ordered) > most:
        shown["(other)"] = round(sum(count for _, count in ordered[most:]), 3)
    return shown


def pattern(row: Mapping[str, Any], *, samples: int = 0) -> dict[str, Any]:
    """A pattern of `GET /patterns` in short."""
    shown = {
        "id": row["pattern_id"],
        "pattern": clip(row["pattern"], PATTERN_CHARACTERS),
        "count": row["count"],
        "first_seen": second(row["first_seen"]),
        "last_seen": second(row["last_seen"]),
        "levels": top(row["levels"]),
        "sources": top(row["sources"], 3),
        "category": row["category"],
    }
    if triage := row.get("triage"):
        shown["triage"] = {name: triage[name] for name in ("state", "owner", "note") if triage[name]}
    if samples:
        shown["samples"] = [clip_sample(sample) for sample in row["samples"][:samples]]
    return {name: value for name, value in shown.items() if value not in ("", {}, [])}


def severity(row: Mapping[str, Any]) -> int:
    """How severe the most severe level of a pattern, or the level of an anomaly, is."""
    levels = row["levels"] if "levels" in row else (row.get("level") or "",)
    return max((LEVELS.index(level) for level in levels if level in LEVELS), default=LEVELS.index("INFO"))


def metadata(summary: Mapping[str, Any], most: int = 8) -> dict[str, Any]:
    """What metadata keys looked like, in short: the most frequent keys with their most frequent values."""
    keys = sorted(summary, key=lambda key: (-summary[key]["count"], key))[:most]
    return {clip(key, 60): _key(summary[key]) for key in keys}


def second(time: str | None) -> str | None:
    """A time of the API (ISO 8601) to the second."""
    return None if time is None else time.partition(".")[0].removesuffix("Z") + "Z"


def ratio(part: float, whole: float, digits: int = 4) -> float | None:
    """A share, or `None` where there is nothing to share."""
    return round(part / whole, digits) if whole else None


def _key(entry: Mapping[str, Any]) -> dict[str, Any]:
    values: Sequence[Mapping[str, Any]] = entry.get("values", [])
    shown: dict[str, Any] = {"logs": entry["count"], "distinct": entry.get("distinct")}
    numbers = entry.get("numbers")
    if numbers:
        wanted = ("unit", "min", "mean", "p50", "p99", "max")
        shown["numbers"] = {name: numbers[name] for name in wanted if numbers.get(name) not in (None, "")}
    else:
        shown["values"] = {clip(str(value["value"]), 60): value["count"] for value in values[:5]}
    return shown


def _text(document: Any) -> str:
    return seen(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
