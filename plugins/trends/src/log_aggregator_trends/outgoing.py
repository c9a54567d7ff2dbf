"""A message as the request that its kind of target takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from log_aggregator_trends.bodies import LONGEST_TEXT
from log_aggregator_trends.message import Message
from log_aggregator_trends.target import Target

_RED, _GREEN = 0xD9302C, 0x2E9E4F
_SEVERITIES = {"FATAL": "critical", "CRITICAL": "critical", "ERROR": "error", "WARN": "warning"}
_STAYS = timedelta(days=1)
"""How long Alertmanager shows an alert that nobody ended; it is over when trends says so."""

_SLACK_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_Made = tuple[str, Any]
"""The URL and the document of a request."""


class Outgoing(NamedTuple):
    """A request: `headers` are those of the kind; a target's own come on top."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def outgoing(target: Target, message: Message) -> Outgoing:
    """The request that tells a message to a target of any kind but email."""
    url, document = _MAKERS[target.kind](target, message)
    method = "PUT" if target.kind == "matrix" else "POST"
    return Outgoing(method, url, _headers(target), msgspec.json.encode(document))


def _headers(target: Target) -> dict[str, str]:
    if target.kind == "matrix":
        return {"Authorization": f"Bearer {target.token}"}
    return {"X-Gotify-Key": target.token} if target.kind == "gotify" else {}


def _plain(message: Message) -> str:
    return "\n".join(part for part in (message.title, message.text, message.link) if part)


def _webhook(target: Target, message: Message) -> _Made:
    document = {"event": message.state, "title": message.title, "text": message.text, "anomaly": message.anomaly}
    return target.address, document | ({"link": message.link} if message.link else {})


def _telegram(target: Target, message: Message) -> _Made:
    url = f"{target.address.rstrip('/')}/bot{target.token}/sendMessage"
    return url, {"chat_id": target.to, "text": _plain(message), "disable_web_page_preview": True}


def _matrix(target: Target, message: Message) -> _Made:
    # The same transaction id again is the same message: a retry is shown once.
    transaction = quote(f"{message.key}-{message.state}-{message.updated}", safe="")
    room = f"{target.address.rstrip('/')}/_matrix/client/v3/rooms/{quote(target.to, safe='')}"
    return f"{room}/send/m.room.message/{transaction}", {"msgtype": "m.text", "body": _plain(message)}


def _gotify(target: Target, message: Message) -> _Made:
    document: dict[str, Any] = {"title": message.title, "message": message.text, "priority": 3 if message.over else 8}
    if message.link:
        document["extras"] = {"client::notification": {"click": {"url": message.link}}}
    return f"{target.address.rstrip('/')}/message", document


def _ntfy(target: Target, message: Message) -> _Made:
    parts = urlsplit(target.address)
    base, _, topic = parts.path.rstrip("/").rpartition("/")
    document: dict[str, Any] = {
        "topic": unquote(topic),
        "title": message.title,
        "message": message.text,
        "priority": 3 if message.over else 4,
        "tags": ["white_check_mark" if message.over else "rotating_light"],
    }
    click = {"click": message.link} if message.link else {}
    return urlunsplit((parts.scheme, parts.netloc, base or "/", "", "")), document | click


def _slack(target: Target, message: Message) -> _Made:
    body, heading = _slack_text(message.text), _slack_text(message.title)
    more = f"\n<{message.link}|Open>" if message.link else ""
    section = {"type": "mrkdwn", "text": f"*{heading}*\n{body}{more}"}
    return target.address, {"text": heading, "blocks": [{"type": "section", "text": section}]}


def _slack_text(text: str) -> str:
    """A text, escaped and still short enough: Slack refuses a section of more than 3,000 characters."""
    escaped = ""
    for character in text:
        part = _SLACK_ESCAPES.get(character, character)
        if len(escaped) + len(part) > LONGEST_TEXT:
            return f"{escaped}…"
        escaped += part
    return escaped


def _discord(target: Target, message: Message) -> _Made:
    embed = {
        "title": message.title,
        "description": message.text,
        "color": _GREEN if message.over else _RED,
        "timestamp": _time(message.updated),
    } | ({"url": message.link} if message.link else {})
    return target.address, {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _teams(target: Target, message: Message) -> _Made:
    lines = [{"type": "TextBlock", "text": line, "wrap": True} for line in message.text.splitlines()]
    head = {"type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": True}
    card: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.4", "body": [head, *lines]}
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return target.address, {"type": "message", "attachments": [attachment]}


def _pagerduty(target: Target, message: Message) -> _Made:
    document: dict[str, Any] = {
        "routing_key": target.token,
        "event_action": "resolve" if message.over else "trigger",
        "dedup_key": message.key,
        "payload": {
            "summary": message.title,
            "source": message.anomaly.get("source") or "log-aggregator",
            "severity": _SEVERITIES.get(message.anomaly.get("level", ""), "warning"),
            "timestamp": _time(message.updated),
            "custom_details": {"text": message.text},
        },
    }
    links = {"links": [{"href": message.link, "text": "Open"}]} if message.link else {}
    return target.address, document | links


def _alertmanager(target: Target, message: Message) -> _Made:
    anomaly = message.anomaly
    labels = {"alertname": f"log_aggregator_{anomaly['kind']}", "incident": message.key}
    labels |= {name: anomaly[name] for name in ("source", "level", "pattern_id") if anomaly[name]}
    ends = anomaly["resolved"] if message.over else anomaly["updated"] + _STAYS // timedelta(microseconds=1)
    alert = {
        "labels": labels,
        "annotations": {"summary": message.title, "description": message.text},
        "startsAt": _time(anomaly["started"]),
        "endsAt": _time(ends),
    }
    generator = {"generatorURL": message.link} if message.link else {}
    return f"{target.address.rstrip('/')}/api/v2/alerts", [alert | generator]


_MAKERS: dict[str, Callable[[Target, Message], _Made]] = {
    "webhook": _webhook,
    "ntfy": _ntfy,
    "slack": _slack,
    "discord": _discord,
    "teams": _teams,
    "telegram": _telegram,
    "matrix": _matrix,
    "gotify": _gotify,
    "pagerduty": _pagerduty,
    "alertmanager": _alertmanager,
}


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
