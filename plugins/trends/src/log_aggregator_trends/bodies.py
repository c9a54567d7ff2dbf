"""The texts of a notification."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from log_aggregator_trends.incidents import Incident

_NAMES = {
    "new_pattern": "New pattern",
    "spike": "Spike",
    "drop": "Drop",
    "silence": "Silence",
    "level_shift": "Level shift",
    "error_rate": "More errors",
    "error_share": "Many errors",
    "severe": "Severe",
    "test": "Test",
    "returned": "Came back",
    "escalated": "Muted, but more",
    "rule": "Rule",
}
_TITLE = 200
LONGEST_TEXT = 1800
_SHOWN = 3


def title(incident: Incident, state: str) -> str:
    """One line: kind, source, pattern, and whether the incident is resolved."""
    what = _NAMES.get(incident.kind, incident.kind)
    subject = f"{incident.source}: {incident.pattern or 'all logs'}"
    if incident.kind == "rule":
        subject = next((member["rule"] for member in incident.members.values() if "rule" in member), subject)
    line = f"{'Resolved: ' if state == 'resolved' else ''}{what}: {subject}"
    return shortened(line, _TITLE)


def text(incident: Incident, state: str, *, samples: bool) -> str:
    """The reasons: start, counts seen and expected, probability, over-represented values, sample messages."""
    lines: list[str] = []
    if state == "resolved" and incident.resolved is not None:
        minutes = max(1, (incident.resolved - incident.started) // 60_000_000)
        lines.append(f"{incident.resolution}, after {minutes} min")
    lines.append(f"since {_time(incident.started)}")
    members = sorted(incident.members.values(), key=lambda member: not member.get("pattern"))
    for member in members[:_SHOWN]:
        lines += _member(member, samples=samples)
    hidden = len(members) - _SHOWN + incident.more_members
    if hidden > 0:
        lines.append(f"and {hidden} more")
    return shortened("\n".join(lines), LONGEST_TEXT)


def shortened(text: str, longest: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _member(member: dict[str, Any], *, samples: bool) -> list[str]:
    subject = member.get("rule") or member.get("pattern") or member["series"]
    if "rule" in member and "silent_minutes" in member:
        lines = [f"• {subject}: no log for {member['silent_minutes']} min"]
    elif "more_than" in member:
        lines = [
            f"• {subject}: {member['seen']} logs in {member['window_minutes']} min, more than {member['more_than']}"
        ]
    elif "share" in member:
        usual = f", usually {member['usual_share']:.1%}" if "usual_share" in member else ""
        lines = [f"• {subject}: {member['share']:.0%} errors ({member['errors']} of {member['logs']} logs){usual}"]
    elif "expected" not in member:
        seen = f": {member['seen']} logs" if "seen" in member else ""
        seen += f" in {member['window_minutes']} min" if "window_minutes" in member else ""
        lines = [f"• {subject}{seen}"]
    elif member.get("missed_run"):
        lines = [f"• {subject}: the daily run has not come, {member['expected']:g} expected"]
    elif member.get("silent_minutes"):
        expected = f"{member['expected']:g} expected meanwhile"
        lines = [f"• {subject}: nothing for {member['silent_minutes']} min, {expected}"]
    else:
        low, high = member["expected_range"]
        sure = _rare(member["one_in_10_to_the"])
        window = f"in {member['window_minutes']} min"
        lines = [f"• {subject}: {member['seen']:g} {window}, expected {low:g} to {high:g} ({sure})"]
    for row in member.get("over_represented", ()):
        lines.append(f"  {row['key']} = {row['value']}: {row['share']:.0%} of them, usually {row['usual_share']:.0%}")
    if samples:
        lines += [f"  “{sample}”" for sample in member.get("samples", ())[:1]]
    return lines


def _rare(exponent: float) -> str:
    """How often chance would bring such a minute, in words that a person can judge."""
    days = 10 ** min(exponent, 12.0) / 1440
    if days >= 36_500:
        return "by chance less than once in 100 years"
    if days >= 365:
        return f"by chance once in {days / 365:.0f} years"
    return f"by chance once in {max(1.0, days):.0f} days"


def link(incident: Incident, public_url: str) -> str:
    """The address of an incident on the page; empty where the page's own address is not known."""
    return f"{public_url.rstrip('/')}/#/anomalies/{incident.id}" if public_url else ""


def _time(microseconds: int) -> str:
    moment = datetime.fromtimestamp(microseconds / 1e6, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
