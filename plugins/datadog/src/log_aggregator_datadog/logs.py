"""Bodies of Datadog's log intake → records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import hdrs

from log_aggregator import Record
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError, SentFields, record_of_text

_COMMON = ("service", "ddsource", "hostname", "host", "ddtags")
_OWN = frozenset({"message", "status", "timestamp", "ddtags", "service"})
_GOOD = frozenset({"ok", "success"})
MOST_TAGS = 1000


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a body: a list of logs, one log, or lines of text. Raises `Problem` 400."""
    query = sent.request.query
    common = {name: query[name] for name in _COMMON if query.get(name)}
    kind = sent.request.headers.get(hdrs.CONTENT_TYPE, "").lower()
    if kind.startswith("text/") or (sent.body[:64].lstrip()[:1] not in (b"{", b"[") and "json" not in kind):
        sent.all_timed = False
        for line in sent.lines():
            yield _log(sent, {**common, "message": line.decode("utf-8", "replace").rstrip("\r")})
        return
    document = sent.json()
    if not isinstance(document, list | dict):
        raise Problem(400, "expected a list of logs")
    for log in document if isinstance(document, list) else [document]:
        if log == {}:  # how agents try whether the intake is there
            continue
        yield _log(sent, {**common, **log}) if isinstance(log, dict) else BadLogError("a log that is no object")


def _log(sent: SentBody, log: Mapping[str, Any]) -> Record | BadLogError:
    try:
        return sent.noted(_record(log, sent.received))
    except BadLogError as error:
        return error


def _record(log: Mapping[str, Any], received: int) -> Record:
    metadata = {name: value for name, value in log.items() if name not in _OWN}
    metadata |= _tags(log.get("ddtags"))
    envelope, defaults = SentFields(metadata=metadata), SentFields(timestamp=received)
    source = next((log[name] for name in ("service", "ddsource", "hostname", "host") if _is_text(log.get(name))), None)
    if _is_text(log.get("service")):
        envelope["source"] = source
    elif source is not None:
        defaults["source"] = source
    level = _level(log.get("status"))
    if level is not None:
        envelope["level"] = level
    elif log.get("status") is not None:
        metadata["status"] = log["status"]
    if log.get("timestamp") is not None:
        envelope["timestamp"] = log["timestamp"]
    message = log.get("message")
    if isinstance(message, dict):
        defaults["message"] = msgspec.json.encode(message).decode()
        return Record.from_object(message, envelope=envelope, defaults=defaults)
    if message is None:
        rest = {name: value for name, value in metadata.items() if name not in ("ddsource", "hostname")}
        return Record.from_object(rest, envelope=envelope, defaults=defaults)
    if not isinstance(message, str):
        message = msgspec.json.encode(message).decode()
    return record_of_text(message, envelope=envelope, defaults=defaults)


def _level(status: Any) -> Any:
    """A level, where `status` is one: a word, or a number of syslog's. Some clients pass on a status of HTTP."""
    if isinstance(status, str):
        status = status.strip()
        if status.lower() in _GOOD:
            return "INFO"
        return status if status.isalpha() or (status.isdecimal() and len(status) == 1 and int(status) < 8) else None
    return status if isinstance(status, int) and not isinstance(status, bool) and 0 <= status < 8 else None


def _tags(sent: Any) -> dict[str, str]:
    """`env:home,team:a:b,bare` → names and values; a tag without a value stands for itself."""
    if isinstance(sent, list):
        sent = ",".join(str(one) for one in sent[:MOST_TAGS])
    if not isinstance(sent, str):
        return {}
    tags: dict[str, str] = {}
    for tag in sent.split(",", MOST_TAGS)[:MOST_TAGS]:
        name, _, value = tag.strip().partition(":")
        if name:
            tags.setdefault(name, value or name)
    return tags


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
