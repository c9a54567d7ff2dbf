"""The tools for a person on call: what changed, marks, what becomes of a line, triage."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from log_aggregator_mcp.answers import clip, render, second
from log_aggregator_mcp.api import get, post
from log_aggregator_mcp.figures import Limit, Since
from log_aggregator_mcp.reading import Level, PatternId, Source

Span = Annotated[str, Field(description="a start such as -1h or mark:deploy-1.4, or a span such as -2h..-1h")]

_LISTS = ("new", "gone", "more", "less", "levels", "values")
_NAMED = ("level", "source", "before", "after", "ratio", "key", "value", "share_before", "share_after")


async def compare(
    after: Span = "-1h",
    before: Span = "",
    level: Level = "",
    source: Source = "",
    text: Annotated[str, Field(max_length=1000, description="a search, as in the tool search")] = "",
    limit: Limit = 5,
) -> str:
    """What changed between two times: patterns that are new, gone, more or less frequent; levels and values that moved.

    Without `before`, the span of the same length directly before is taken. Chance is left out by a statistical test.
    """
    found = await get("/compare", after=after, before=before, level=level, source=source, q=text, limit=limit)
    spans = {
        name: f"{second(found[name]['since'])} to {second(found[name]['until'])}, {found[name]['logs']} logs"
        for name in ("before", "after")
    }
    lists = {name: [_change(change) for change in found[name]] for name in _LISTS if found[name]}
    return render({**spans, "found": {name: count for name, count in found["found"].items() if count}, **lists})


async def errors_by_value(
    key: Annotated[str, Field(min_length=1, max_length=200, description="a metadata key, such as region or host")],
    since: Since = "-1h",
    text: Annotated[str, Field(max_length=1000, description="a search, as in the tool search")] = "",
    limit: Limit = 10,
) -> str:
    """Logs and errors by the value of a metadata key: whether one region or host fails and the others do not."""
    found = await get("/values", key=key, since=since, q=text, limit=limit)
    values = [
        {"value": clip(one["value"], 100), **{name: one[name] for name in ("logs", "errors", "error_share")}}
        for one in found["values"]
    ]
    return render({"key": key, "since": since, "logs": found["logs"], "errors": found["errors"], "values": values})


async def marks(since: Since = "-7d", limit: Limit = 10) -> str:
    """What happened, newest first: deployments and other marks. Times may name one: since=mark:deploy-1.4."""
    page = await get("/marks", since=since, limit=limit)
    return render({"since": since, "marks": [_mark(mark) for mark in page["marks"]]})


async def set_mark(
    title: Annotated[str, Field(min_length=1, max_length=200, description="what happened, such as deploy 1.4")],
    at: Annotated[str, Field(description="when; empty: now")] = "",
    source: Annotated[str, Field(max_length=200, description="the source that it concerns, if one")] = "",
) -> str:
    """Keep that something happened. Needs an API key with the scope write where keys are on."""
    return render(_mark(await post("/marks", title=title, at=at, source=source, by="assistant")))


async def explain_line(line: Annotated[str, Field(min_length=1, max_length=10_000, description="a log line")]) -> str:
    """Which pattern a log line has, its level and category, and whether and how often that pattern came in a week."""
    told = await get("/explain", line=line)
    answer = {name: told[name] for name in ("pattern", "level", "category", "tags", "rejected") if told.get(name)}
    if told.get("pattern"):
        answer |= {"pattern": clip(told["pattern"], 400), "pattern_id": told["pattern_id"]}
        known = (await get("/patterns", q=f"id:{told['pattern_id']}", since="-7d"))["patterns"]
        answer["last_7_days"] = known[0]["count"] if known else 0
        if known:
            answer["last_seen"] = second(known[0]["last_seen"])
    return render(answer)


async def triage(
    pattern_id: PatternId,
    state: Annotated[
        Literal["", "open", "acknowledged", "muted", "resolved"], Field(description="empty: as it is")
    ] = "",
    mute_until: Annotated[str, Field(description="with muted: such as +2h; without an end it is for ever")] = "",
    mute_times: Annotated[
        float, Field(ge=0, le=1000, description="with muted: until it comes so many times as often")
    ] = 0,
    owner: Annotated[str, Field(max_length=200, description="who looks after it; empty: as it is")] = "",
    note: Annotated[str, Field(max_length=4000, description="empty: as it is")] = "",
) -> str:
    """Show what people said of a pattern, or acknowledge, mute or resolve it. Changes need the scope write."""
    path = f"/patterns/{pattern_id}/triage"
    if state or owner or note:
        found = await post(
            path, state=state, mute_until=mute_until, mute_times=mute_times or None, owner=owner, note=note,
            by="assistant",
        )  # fmt: skip
    else:
        found = await get(path)
    shown: dict[str, Any] = {name: value for name, value in found.items() if value not in (None, "", [])}
    shown["history"] = [
        f"{second(one['at'])} {one['by']}: {clip(str(one['change']), 160)}" for one in found["history"][:5]
    ]
    return render(shown)


def _change(change: dict[str, Any]) -> dict[str, Any]:
    shown = {"id": change["pattern_id"], "pattern": clip(change["pattern"], 160)}
    shown |= {name: change[name] for name in _NAMED if change.get(name) is not None}
    return shown | ({"triage": change["triage"]["state"]} if change.get("triage") else {})


def _mark(mark: dict[str, Any]) -> dict[str, Any]:
    shown = {"name": f"mark:{mark['slug']}", "title": clip(mark["title"], 200), "at": second(mark["at"])}
    return shown | {name: clip(mark[name], 200) for name in ("source", "url", "by") if mark[name]}
