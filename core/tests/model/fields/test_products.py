"""Objects of databases, agents and platforms with names of their own."""

from __future__ import annotations

from typing import Any

import pytest

from log_aggregator.model.fields.loggers import reshape_of
from log_aggregator.model.record import Record

TIME = "2026-11-30T10:00:00Z"
LOGS: list[tuple[str, dict[str, Any], str, str]] = [
    ("mysql", {"prio": 1, "err_code": 10916, "label": "Error", "msg": "cannot bind"}, "cannot bind", "ERROR"),
    ("mysql-note", {"prio": 3, "err_code": 1, "msg": "ready", "time": TIME}, "ready", "NOTICE"),
    ("mysql-odd", {"prio": "x", "err_code": 1, "msg": "ready", "time": TIME}, "ready", "INFO"),
    ("postgres", {"timestamp": TIME, "error_severity": "FATAL", "message": "no such role"}, "no such role", "FATAL"),
    ("datadog", {"ddsource": "java", "status": "warn", "message": "slow"}, "slow", "WARN"),
    ("datadog-number", {"ddtags": "env:prod", "status": 500, "message": "slow"}, "slow", "INFO"),
    ("suricata", {"timestamp": TIME, "event_type": "alert", "src_ip": "192.0.2.1",
     "alert": {"signature": "ET SCAN", "severity": 1}}, "ET SCAN", "ERROR"),
    ("suricata-flow", {"timestamp": TIME, "event_type": "flow", "src_ip": "192.0.2.1"}, "flow", "INFO"),
    ("audit", {"auditID": "x", "level": "Metadata", "verb": "get", "requestURI": "/api/v1/pods?limit=5",
     "responseStatus": {"code": 403}}, "403 get /api/v1/pods", "WARN"),
    ("audit-begun", {"auditID": "x", "level": "Metadata", "verb": "get", "requestURI": "/api"}, "get /api", "INFO"),
    ("lambda", {"time": TIME, "type": "platform.report", "record": {"status": "timeout"}},
     "platform.report timeout", "ERROR"),
    ("azure", {"time": TIME, "level": "Error", "category": "App", "resultDescription": "boom"}, "boom", "ERROR"),
    ("windows", {"TimeCreated": TIME, "Level": 2, "LevelDisplayName": "Error", "ProviderName": "SCM",
     "Message": "The service stopped"}, "The service stopped", "ERROR"),
]  # fmt: skip


@pytest.mark.parametrize(("log", "message", "level"), [one[1:] for one in LOGS], ids=[one[0] for one in LOGS])
def test_they_are_read(log: dict[str, Any], message: str, level: str) -> None:
    record = Record.from_object(log)
    assert (record.message, record.level) == (message, level)


@pytest.mark.parametrize("log", [one[1] for one in LOGS], ids=[one[0] for one in LOGS])
def test_a_plain_object_is_not_reshaped_again(log: dict[str, Any]) -> None:
    reshape = reshape_of(log)
    plain = reshape(log) if reshape else log
    again = reshape_of(plain)
    assert again is None or again(plain) is plain


def test_a_source_and_a_time_of_windows() -> None:
    record = Record.from_object(LOGS[-1][1])
    assert (record.source, record.timestamp) == ("SCM", 1_796_032_800_000_000)
