"""The tools that read what is stored: patterns (top, new, spiking, one, found by text) and anomalies."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field

from log_aggregator.search import SYNTAX
from log_aggregator_mcp.answers import clip, metadata, pattern, render, second, severity
from log_aggregator_mcp.api import get
from log_aggregator_mcp.figures import Limit, Since

Level = Annotated[str, Field(description="only this level, such as ERROR or WARN")]
Source = Annotated[str, Field(description="only this source")]
Category = Annotated[str, Field(description="only this category")]
PatternId = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="the id of a pattern, 16 hex digits")]

CANDIDATES = 1000
MOST_LOOKED_AT = 60
EARLIER_WINDOWS = 6
MOST_ANOMALIES = 200


async def top_patterns(
    since: Since = "-24h", level: Level = "", source: Source = "", category: Category = "", limit: Limit = 10
) -> str:
    """The most frequent patterns: messages with their variable parts as placeholders, with counts."""
    page = await get(
        "/patterns", since=since, level=level, source=source, category=category, order="count", limit=limit
    )
    return _patterns(page, {"since": since})


async def search(
    text: Annotated[str, Field(min_length=1, max_length=10_000, description=f"a log line, or a search: {SYNTAX}")],
    since: Since = "-7d",
    level: Level = "",
    source: Source = "",
    limit: Limit = 10,
) -> str:
    """Find patterns by words, values in their samples, level, source, metadata, or by a whole log line."""
    page = await get("/patterns", q=text, since=since, level=level, source=source, order="count", limit=limit)
    page["patterns"].sort(key=lambda row: -severity(row))
    return _patterns(page, {"text": clip(text, 100), "since": since})


async def new_patterns(since: Since = "-24h", level: Level = "", source: Source = "", limit: Limit = 10) -> str:
    """Patterns that were never seen before a time, the most severe first: what a release or an incident brought."""
    page = await get("/patterns", since=since, level=level, source=source, order="newest", limit=CANDIDATES)
    start = (await get("/series", since=since, step=86_400))["since"]
    # In the asked time an old pattern begins early and a new one late, so the new ones come first.
    candidates = sorted(page["patterns"], key=lambda row: str(row["first_seen"]), reverse=True)
    found: list[dict[str, Any]] = []
    looked_at = 0
    while candidates and looked_at < MOST_LOOKED_AT and len(found) < limit:
        some, candidates = candidates[:limit], candidates[limit:]
        looked_at += len(some)
        details = await asyncio.gather(*(get(f"/patterns/{row['pattern_id']}") for row in some))
        found += [row for row, detail in zip(some, details, strict=True) if str(detail["first_seen"]) >= str(start)]
    shown = sorted(found[:limit], key=lambda row: -severity(row))
    answer: dict[str, Any] = {"since": second(start), "patterns": [pattern(row, samples=1) for row in shown]}
    if candidates and len(found) < limit:
        answer["note"] = f"only the {looked_at} latest candidates were looked at; there may be more"
    return render(answer)


async def spiking_patterns(
    minutes: Annotated[int, Field(ge=15, le=1440, description="the time that is compared")] = 60,
    factor: Annotated[float, Field(ge=1.1, le=1000, description="how many times the usual")] = 3.0,
    limit: Limit = 10,
) -> str:
    """Patterns that came far more often than in the time before, whatever the anomaly detection says.

    The last `minutes` are compared with the average of the six such spans before.
    """
    now, before = await asyncio.gather(
        get("/patterns", since=f"-{minutes}m", order="count", limit=CANDIDATES),
        get(
            "/patterns",
            since=f"-{minutes * (EARLIER_WINDOWS + 1)}m",
            until=f"-{minutes}m",
            order="count",
            limit=CANDIDATES,
        ),
    )
    usual = {row["pattern_id"]: row["count"] / EARLIER_WINDOWS for row in before["patterns"]}
    # What is not among the most frequent of before came at most as often as the rarest of them.
    unknown = min(usual.values()) if before.get("cursor") and usual else 0.0
    rows = [(row, usual.get(row["pattern_id"], unknown)) for row in now["patterns"]]
    many = [(row, was) for row, was in rows if row["count"] >= 10 and row["count"] >= factor * max(was, 1.0)]
    spiking = [(row, was) for row, was in many if was]
    spiking.sort(key=lambda entry: (-severity(entry[0]), -entry[0]["count"] / max(entry[1], 1.0)))
    shown = [pattern(row) | {"usual_count": round(was, 1)} for row, was in spiking[:limit]]
    answer: dict[str, Any] = {"last_minutes": minutes, "spiking": len(spiking), "patterns": shown}
    if len(many) > len(spiking):
        answer["not_seen_before"] = f"{len(many) - len(spiking)} patterns: ask new_patterns or compare"
    return render(answer)


async def pattern_detail(pattern_id: PatternId, since: Since = "-24h") -> str:
    """One pattern: totals, samples, what its metadata looked like, and its counts over time."""
    detail, timeline = await asyncio.gather(
        get(f"/patterns/{pattern_id}"), get(f"/patterns/{pattern_id}/timeline", since=since, step=3600)
    )
    points = [point for series in timeline["series"] for point in series["points"]]
    return render(
        {
            **pattern(detail, samples=3),
            "tags": detail["tags"],
            "earlier_ids": detail["aliases"],
            "metadata": metadata(detail["metadata"]),
            "hours": [f"{second(point['start'])} {point['count']}" for point in points][-48:],
        }
    )


async def anomalies(
    state: Annotated[Literal["open", "resolved", "any"], Field(description="still going on, over, or both")] = "open",
    since: Since = "-24h",
    tier: Annotated[
        Literal["notify", "recorded", "any"], Field(description="notify: worth waking someone; recorded: worth a look")
    ] = "any",
    source: Source = "",
    limit: Limit = 10,
) -> str:
    """What the service found unusual and why, the most severe first: new patterns, spikes, silences, errors."""
    wanted = {"state": state, "tier": tier}
    named = {name: value for name, value in wanted.items() if value != "any"}
    page = await get("/anomalies", since=since, source=source, limit=MOST_ANOMALIES, **named)
    found = sorted(page["anomalies"], key=lambda one: (one.get("tier") != "notify", -severity(one)))
    answer: dict[str, Any] = {"since": since, "anomalies": [_anomaly(anomaly) for anomaly in found[:limit]]}
    if len(found) > limit:
        answer["more"] = f"{len(found) - limit} less severe ones: raise limit, or narrow the question"
    if learning := page.get("learning"):
        answer["still_learning_until"] = second(learning["until"])
    return render(answer)


def _patterns(page: dict[str, Any], asked: dict[str, Any]) -> str:
    answer = {**asked, "patterns": [pattern(row) for row in page["patterns"]]}
    return render(answer | ({"more": "raise limit, or narrow the question"} if page.get("cursor") else {}))


def _anomaly(anomaly: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "kind", "state", "tier", "pattern_id", "level", "source", "score")
    shown = {name: anomaly.get(name) for name in kept}
    shown["pattern"] = clip(anomaly.get("pattern") or "", 160)
    for name in ("started", "updated", "resolved"):
        shown[name] = second(anomaly.get(name))
    shown["why"] = _short(anomaly.get("details") or {})
    return {name: value for name, value in shown.items() if value not in (None, "", {}, [])}


def _short(value: Any, depth: int = 3) -> Any:
    """Details of any shape, with long texts clipped and long lists cut."""
    if isinstance(value, str):
        return clip(value, 160)
    if isinstance(value, dict):
        return (
            {clip(str(key), 60): _short(entry, depth - 1) for key, entry in list(value.items())[:12]} if depth else "…"
        )
    if isinstance(value, list):
        return [_short(entry, depth - 1) for entry in value[:5]] if depth else "…"
    return value
