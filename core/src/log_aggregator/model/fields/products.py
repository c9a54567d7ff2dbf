"""Objects of databases, agents and platforms that name their level or message as nobody else → plain objects."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.fields.requests import Request

_MYSQL = ("INFO", "ERROR", "WARN", "NOTICE")
_ALERTS = {1: "ERROR", 2: "WARN", 3: "NOTICE"}


def mysql(log: dict[str, Any]) -> dict[str, Any]:
    """The error log as JSON: `prio` is 0 for the system, 1 for errors, 2 for warnings, 3 for notes."""
    prio = log["prio"]
    plain = {key: value for key, value in log.items() if key not in ("prio", "label")}
    return plain | {"level": _MYSQL[prio]} if type(prio) is int and 0 <= prio < len(_MYSQL) else plain


def datadog(log: dict[str, Any]) -> dict[str, Any]:
    """A log as Datadog's libraries write it: `status` is the level where it is a word."""
    status = log["status"]
    if type(status) is not str or not status.isalpha() or "level" in log:
        return log
    return {key: value for key, value in log.items() if key != "status"} | {"level": status}


def suricata(log: dict[str, Any]) -> dict[str, Any]:
    """An event of Suricata: the signature of an alert, of all others what kind of event it is."""
    alert = log.get("alert")
    plain = {key: value for key, value in log.items() if key != "event_type"}
    if type(alert) is not dict or type(alert.get("signature")) is not str:
        return plain | {"message": log["event_type"]}
    severity = alert.get("severity")
    level = _ALERTS.get(severity, "INFO") if type(severity) is int else "INFO"
    return plain | {"message": alert["signature"], "level": level}


def kubernetes_audit(log: dict[str, Any]) -> dict[str, Any]:
    """An entry of the API server's audit log. Its `level` says how much is logged."""
    answer = log.get("responseStatus")
    code = answer.get("code") if type(answer) is dict else None
    said = ("level", "verb", "requestURI", "requestReceivedTimestamp")
    plain = {key: value for key, value in log.items() if key not in said}
    path = str(log["requestURI"]).partition("?")[0]
    request = Request(code if type(code) is int else 0, str(log["verb"]), path)
    plain |= {"level": request.level, "timestamp": log.get("requestReceivedTimestamp")}
    return plain | {"message": str(request) if request.status else f"{request.method} {path}"}


def lambda_platform(log: dict[str, Any]) -> dict[str, Any]:
    """An event of AWS Lambda's platform, such as the report on a call."""
    record, kind = log["record"], log["type"]
    if type(kind) is not str or not kind.startswith("platform.") or type(record) is not dict:
        return log
    status = record.get("status", "success")
    plain = {key: value for key, value in log.items() if key not in ("type", "record")}
    message = kind if status == "success" else f"{kind} {status}"
    return plain | record | {"message": message, "level": "INFO" if status == "success" else "ERROR"}
