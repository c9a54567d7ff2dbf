"""Objects of loggers whose form the table alone cannot read → plain objects with the same content."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from log_aggregator.model.fields import products
from log_aggregator.model.fields.stacks import stack_text

Reshape = Callable[[dict[str, Any]], dict[str, Any]]

_JOURNAL_DROPPED = frozenset({
    "__CURSOR", "__MONOTONIC_TIMESTAMP", "_SOURCE_MONOTONIC_TIMESTAMP", "_BOOT_ID", "_MACHINE_ID", "_CAP_EFFECTIVE",
    "__SEQNUM", "__SEQNUM_ID", "_RUNTIME_SCOPE", "SYSLOG_RAW", "SYSLOG_TIMESTAMP", "_STREAM_ID",
})  # fmt: skip


def reshape_of(log: dict[str, Any]) -> Reshape | None:
    """How to turn an object with these keys into a plain one; `None` where the table reads it as it is."""
    if "MESSAGE" in log and ("__REALTIME_TIMESTAMP" in log or "PRIORITY" in log or "_PID" in log):
        return _journal
    if "record" in log and "text" in log:
        return _loguru
    if "data" in log and "categoryName" in log:
        return _log4js
    if "jsonPayload" in log:
        return _google
    if "instant" in log and "loggerName" in log:
        return _log4j
    return next((reshape for keys, reshape in _OF_PRODUCTS if keys <= log.keys()), None)


_OF_PRODUCTS: tuple[tuple[frozenset[str], Reshape], ...] = (
    (frozenset({"err_code", "prio", "msg"}), products.mysql),
    (frozenset({"ddsource", "status"}), products.datadog),
    (frozenset({"ddtags", "status"}), products.datadog),
    (frozenset({"event_type", "src_ip", "timestamp"}), products.suricata),
    (frozenset({"auditID", "verb", "requestURI"}), products.kubernetes_audit),
    (frozenset({"time", "type", "record"}), products.lambda_platform),
)
"""Keys that only objects of one product have, and how these are read."""


def _journal(log: dict[str, Any]) -> dict[str, Any]:
    """`journalctl -o json`: names without underscores, nothing that only the journal itself needs."""
    message = log["MESSAGE"]
    if type(message) is list:  # bytes that are no UTF-8
        try:
            message = bytes(message).decode("utf-8", "replace")
        except (TypeError, ValueError):
            message = str(message)
    plain: dict[str, Any] = {"message": message}
    when = log.get("_SOURCE_REALTIME_TIMESTAMP") or log.get("__REALTIME_TIMESTAMP")
    source = next((log[key] for key in ("SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM", "_HOSTNAME") if log.get(key)), None)  # fmt: skip # noqa: E501
    plain |= {"timestamp": when, "level": _number(log.get("PRIORITY")), "source": source}
    for key, value in log.items():
        name = key.lstrip("_").lower()
        if key in _JOURNAL_DROPPED or key.startswith("_AUDIT_") or name in plain or value == source:
            continue
        if name not in ("priority", "realtime_timestamp", "source_realtime_timestamp"):
            plain[name] = value
    return plain


def _number(value: Any) -> Any:
    return int(value) if type(value) is str and value.isdecimal() and len(value) < 4 else value


def _loguru(log: dict[str, Any]) -> dict[str, Any]:
    record = log["record"]
    if type(record) is not dict or type(record.get("level")) is not dict or "message" not in record:
        return log
    plain: dict[str, Any] = {key: value for key, value in log.items() if key not in ("text", "record")}
    extra = record.get("extra")
    plain |= extra if type(extra) is dict else {}
    plain |= {"message": record["message"], "level": record["level"].get("name"), "logger": record.get("name")}
    when = record.get("time")
    plain["timestamp"] = when.get("timestamp") if type(when) is dict else when
    text = log["text"]
    start = text.find("Traceback (most recent call last)") if type(text) is str and record.get("exception") else -1
    if start >= 0:
        plain["stack"] = text[start:].rstrip()
    elif record.get("exception"):
        plain["exception"] = record["exception"]
    plain |= {key: record[key] for key in ("function", "line", "module") if key in record}
    for key, inner in (("file", "path"), ("process", "id"), ("thread", "name")):
        value = record.get(key)
        if type(value) is dict and inner in value:
            plain[key] = value[inner]
    return plain


def _log4js(log: dict[str, Any]) -> dict[str, Any]:
    data = log["data"]
    if type(data) is not list:
        return log
    plain = {key: value for key, value in log.items() if key not in ("data", "startTime", "categoryName")}
    texts, rest = [], []
    for part in data:
        if type(part) is dict and (stack := stack_text("stack", part.get("stack"), part)):
            plain["stack"] = stack
        elif type(part) in (str, int, float, bool):
            texts.append(part if type(part) is str else str(part))
        else:
            rest.append(part)
    if rest:
        plain["data"] = rest[0] if len(rest) == 1 else rest
    level = log.get("level")
    plain["level"] = level.get("levelStr") if type(level) is dict else level
    return plain | {"message": _formatted(texts), "timestamp": log.get("startTime"), "logger": log["categoryName"]}


def _formatted(texts: list[str]) -> str:
    """`["Cheese is %s", "Gouda"]` as Node's `util.format` writes it."""
    if not texts:
        return ""
    parts = re.split(r"%[sdifjoO]", texts[0])
    values = texts[1 : len(parts)]
    filled = "".join(part + value for part, value in zip(parts, [*values, *[""] * len(parts)], strict=False))
    return " ".join([filled, *texts[len(parts) :]])


def _google(log: dict[str, Any]) -> dict[str, Any]:
    payload = log["jsonPayload"]
    if type(payload) is not dict:
        return log
    return payload | {key: value for key, value in log.items() if key != "jsonPayload"}


def _log4j(log: dict[str, Any]) -> dict[str, Any]:
    instant = log["instant"]
    if type(instant) is not dict or type(instant.get("epochSecond")) is not int:
        return log
    nanos = instant.get("nanoOfSecond")
    plain = {key: value for key, value in log.items() if key not in ("instant", "endOfBatch", "loggerFqcn", "threadPriority")}  # fmt: skip # noqa: E501
    plain["timestamp"] = instant["epochSecond"] * 1_000_000 + (nanos // 1000 if type(nanos) is int else 0)
    return plain
