"""The field table reads what loggers write: each record as its logger's documentation prints it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from log_aggregator import Record
from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.table import FieldTable

NOW = 1_795_465_413_000_000
WHEN = 1_795_168_800_000_000
ISO = "2026-11-20T10:00:00Z"
PY = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'x'"
JS = "Error: boom\n    at f (/a.js:1:2)"
JAVA = "E: boom\n\tat a.B.c(B.java:3)"

Expected = tuple[str, str, str, dict[str, Any]]

LOGS: dict[str, tuple[dict[str, Any], Expected]] = {
    "pino": (
        {"level": 50, "time": WHEN // 1000, "hostname": "h", "msg": "failed",
         "err": {"type": "Error", "message": "boom", "stack": JS, "code": "E1"}},
        (f"failed\n{JS}", "ERROR", "h", {"err": {"code": "E1"}}),
    ),
    "ecs-logging of Python": (
        {"@timestamp": ISO, "message": "failed", "log.level": "error", "service": {"name": "s"},
         "error": {"type": "KeyError", "message": "'x'", "stack_trace": '  File "a.py", line 1, in f\n'}},
        (f"failed\n{PY}", "ERROR", "s", {}),
    ),
    "winston": (
        {"level": "error", "message": "boom", "timestamp": ISO, "stack": JS, "service": "api"},
        (f"boom\n{JS}", "ERROR", "api", {}),
    ),
    "bunyan": (
        {"name": "app", "hostname": "h", "pid": 1, "level": 40, "msg": "hi", "time": ISO, "v": 0},
        ("hi", "WARN", "app", {"hostname": "h", "pid": 1, "v": 0}),
    ),
    "log4js": (
        {"startTime": ISO, "categoryName": "cheese", "data": ["Cheese is %s", "Gouda", {"a": 1}], "pid": 1,
         "level": {"level": 30000, "levelStr": "WARN", "colour": "yellow"}},
        ("Cheese is Gouda", "WARN", "cheese", {"pid": 1, "data": {"a": 1}}),
    ),
    "structlog": (
        {"event": "failed", "level": "error", "timestamp": ISO, "logger": "a.b", "exception": PY, "user": 5},
        (f"failed\n{PY}", "ERROR", "a.b", {"user": 5}),
    ),
    "structlog, dict_tracebacks": (
        {"event": "failed", "level": "error", "timestamp": ISO, "exception": [
            {"exc_type": "KeyError", "exc_value": "'x'", "frames": [{"filename": "a.py", "lineno": 1, "name": "f"}]}]},
        (f"failed\n{PY}", "ERROR", "unknown", {}),
    ),
    "loguru": (
        {"text": f"2026 | ERROR | a - m\n{PY}\n", "record": {
            "elapsed": {"seconds": 0}, "exception": {"type": "KeyError", "value": "'x'", "traceback": True},
            "extra": {"user": 1}, "file": {"name": "a.py", "path": "/a.py"}, "function": "f", "line": 3,
            "level": {"icon": "x", "name": "ERROR", "no": 40}, "message": "m", "module": "a", "name": "shop",
            "process": {"id": 1, "name": "M"}, "thread": {"id": 1, "name": "T"},
            "time": {"repr": "2026", "timestamp": WHEN / 1e6}}},
        (f"m\n{PY}", "ERROR", "shop", {"user": 1, "function": "f", "line": 3, "module": "a", "file": "/a.py",
                                       "process": 1, "thread": "T"}),
    ),
    "python-json-logger": (
        {"asctime": "2026-11-20 10:00:00,000", "levelname": "WARNING", "name": "app", "message": "m", "exc_info": PY},
        (f"m\n{PY}", "WARN", "app", {}),
    ),
    "slog": (
        {"time": "2026-11-20T11:00:00+01:00", "level": "ERROR+2", "msg": "m", "source": {"file": "/a.go", "line": 3}},
        ("m", "ERROR", "unknown", {"source": {"file": "/a.go", "line": 3}}),
    ),
    "zap": (
        {"level": "dpanic", "ts": WHEN / 1e6, "logger": "db", "caller": "a.go:3", "msg": "m", "error": "refused",
         "stacktrace": "main.main\n\t/a.go:12"},
        ("m\nmain.main\n\t/a.go:12", "FATAL", "db", {"caller": "a.go:3", "error": "refused"}),
    ),
    "zerolog": (
        {"level": "error", "time": WHEN // 10**6, "message": "m", "stack": [{"func": "f", "line": "2", "source": "a.go"}]},
        ("m\n\tat f(a.go:2)", "ERROR", "unknown", {}),
    ),
    "logrus": ({"level": "warning", "msg": "m", "time": ISO, "animal": "walrus"}, ("m", "WARN", "unknown", {"animal": "walrus"})),
    "CLEF": (
        {"@t": "2026-11-20T10:00:00.0000000Z", "@mt": "User {Name} in", "@l": "Warning", "Name": "n", "SourceContext": "A.B",
         "@x": "System.Exception: x\n   at A.B() in a.cs:line 3"},
        ("User {Name} in\nSystem.Exception: x\n   at A.B() in a.cs:line 3", "WARN", "A.B", {"Name": "n"}),
    ),
    "ECS, dotted": (
        {"@timestamp": ISO, "log.level": "ERROR", "message": "m", "service.name": "s", "error.type": "E",
         "error.message": "boom", "error.stack_trace": JAVA, "ecs.version": "1.2.0"},
        (f"m\n{JAVA}", "ERROR", "s", {"ecs.version": "1.2.0"}),
    ),
    "ECS, nested": (
        {"@timestamp": ISO, "log": {"level": "error", "origin": "o"}, "message": "m", "service": {"name": "s"},
         "error": {"type": "E", "message": "boom", "stack_trace": JAVA}},
        (f"m\n{JAVA}", "ERROR", "s", {"log": {"origin": "o"}}),
    ),
    "GCP": (
        {"severity": "CRITICAL", "jsonPayload": {"message": "m", "u": 1}, "timestamp": {"seconds": WHEN // 10**6, "nanos": 0},
         "resource": {"type": "k8s_container", "labels": {"container_name": "web"}}},
        ("m", "CRITICAL", "web", {"u": 1, "resource": {"type": "k8s_container"}}),
    ),
    "journald": (
        {"MESSAGE": "m", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "sshd", "_PID": "1", "__REALTIME_TIMESTAMP": str(WHEN),
         "__CURSOR": "x", "_BOOT_ID": "b", "CODE_FILE": "a.c", "_AUDIT_SESSION": "1"},
        ("m", "ERROR", "sshd", {"pid": "1", "code_file": "a.c"}),
    ),
    "journald, bytes": (
        {"MESSAGE": [104, 105, 255], "PRIORITY": "4", "_COMM": "x", "__REALTIME_TIMESTAMP": str(WHEN)},
        ("hi\ufffd", "WARN", "x", {}),
    ),
    "Docker": (
        {"log": "hello\n", "stream": "stderr", "time": "2026-11-20T10:00:00.000000000Z"},
        ("hello", "", "unknown", {"stream": "stderr"}),
    ),
    "MongoDB": (
        {"t": {"$date": ISO}, "s": "W", "c": "COMMAND", "ctx": "conn1", "msg": "Slow query", "attr": {"ns": "a"}},
        ("Slow query", "WARN", "unknown", {"c": "COMMAND", "ctx": "conn1", "attr": {"ns": "a"}}),
    ),
    "hclog": (
        {"@level": "error", "@message": "lost the lock", "@module": "core", "@timestamp": ISO, "error": "refused"},
        ("lost the lock", "ERROR", "core", {"error": "refused"}),
    ),
    "tracing": (
        {"timestamp": ISO, "level": "ERROR", "fields": {"message": "m", "k": 1}, "target": "my::mod"},
        ("m", "ERROR", "my::mod", {"fields": {"k": 1}}),
    ),
    "Monolog": (
        {"message": "m", "level": 300, "level_name": "WARNING", "channel": "app", "datetime": ISO,
         "context": {"exception": {"class": "E", "message": "x", "file": "/a.php:3", "trace": ["/b.php:12"]}}},
        ("m\nE: x at /a.php:3\n    at /b.php:12", "WARN", "app", {}),
    ),
    "log4j": (
        {"instant": {"epochSecond": WHEN // 10**6, "nanoOfSecond": 0}, "thread": "main", "level": "ERROR", "loggerName": "a.B",
         "message": "m", "thrown": {"name": "E", "message": "boom", "extendedStackTrace": [
             {"class": "a.B", "method": "c", "file": "B.java", "line": 3}]}},
        (f"m\n{JAVA}", "ERROR", "a.B", {"thread": "main"}),
    ),
    "a Python record's number": (
        {"msg": "m", "level": 30, "lineno": 3, "time": ISO}, ("m", "WARN", "unknown", {"lineno": 3})
    ),
    "wrapped once": (
        {"message": {"msg": "m", "meta": {"a": 1}}, "severity": "info", "time": ISO}, ("m", "INFO", "unknown", {"meta": {"a": 1}})
    ),
    "a stream is no source": (
        {"log": "m", "source": "stderr", "container_name": "/web", "time": ISO}, ("m", "", "web", {"source": "stderr"})
    ),
    "what only looks like a field": (
        {"msg": "m", "status": 503, "priority": "high", "severity": "nasty", "target": "prod", "ts": ISO, "time": 12.5},
        ("m", "", "unknown", {"status": 503, "priority": "high", "severity": "nasty", "target": "prod", "time": 12.5}),
    ),
    "date and time apart": ({"msg": "m", "date": "2026-11-20", "time": "10:00:00"}, ("m", "", "unknown", {})),
    "no message": ({"level": "debug", "sql": "select 1", "ts": ISO}, ('{"sql":"select 1"}', "DEBUG", "unknown", {})),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_what_a_logger_writes(name: str) -> None:
    log, (message, level, source, metadata) = LOGS[name]
    decoder = BodyDecoder(Limits())
    raw = json.dumps(log).encode()
    record = decoder.one(raw, NOW)
    assert decoder.many(raw + b"\n" + raw, True, NOW).records == [record, record]
    expected = Record(message, level or "INFO", source, WHEN, metadata, level != "")
    assert record == expected


def test_the_names_of_http_win() -> None:
    log = {"message": "own", "msg": "other", "level": "warn", "severity": "fatal", "source": "a", "service.name": "b",
           "timestamp": ISO, "@timestamp": "2020-01-01", "metadata": {"k": 1}, "k": 2, "l": 3}  # fmt: skip
    record = BodyDecoder(Limits()).one(json.dumps(log).encode(), NOW)
    rest = {"msg": "other", "severity": "fatal", "service.name": "b", "@timestamp": "2020-01-01", "l": 3}
    assert record == Record("own", "WARN", "a", WHEN, {"k": 1} | rest)


def test_an_unreadable_field_costs_the_field_and_not_the_log() -> None:
    log = {"message": "m", "level": {}, "timestamp": "yesterday", "source": [1], "metadata": "x"}
    record = BodyDecoder(Limits()).one(json.dumps(log).encode(), NOW)
    kept = {"level": {}, "source": [1], "metadata": "x", "timestamp_sent": "yesterday"}
    assert record == Record("m", "INFO", "unknown", NOW, kept, False)


def test_the_table_can_be_switched_off_and_added_to() -> None:
    log = json.dumps({"message": "m", "severity": "error", "prio": "fatal"}).encode()
    off = BodyDecoder(Limits(), FieldTable(enabled=False)).one(log, NOW)
    assert (off.level, off.metadata) == ("INFO", {"severity": "error", "prio": "fatal"})
    access = b'{"method": "GET", "path": "/a", "status": 500}'
    assert BodyDecoder(Limits(), FieldTable(enabled=False)).one(access, NOW).message.startswith("{")
    assert BodyDecoder(Limits()).one(access, NOW).message == "500 GET /a"
    more = BodyDecoder(Limits(), FieldTable().with_names({"level": ("prio",)})).one(log, NOW)
    assert (more.level, more.metadata) == ("FATAL", {"severity": "error"})


@pytest.mark.parametrize(
    "sent",
    [
        "Fri, 20 Nov 2026 11:00:00 +0100", "2026/11/20 10:00:00", "2026-11-20 10:00:00 UTC", "2026-11-20 11:00:00 CET",
        "2026-11-20T11:00:00+01:00[Europe/Berlin]", "2026-11-20T11:00:00[Europe/Berlin]", "2026-11-20 10:00:00,000",
        "20/Nov/2026:10:00:00 +0000", "Fri Nov 20 10:00:00 2026", "20 Nov 2026 10:00:00.000", "Nov 20, 2026 10:00:00",
        "2026-11-20 11:00:00.0 +0100 CET m=+0.002", "Fri Nov 20 2026 11:00:00 GMT+0100 (Central European Standard Time)",
    ],
)  # fmt: skip
def test_times_as_people_write_them(sent: str) -> None:
    record = BodyDecoder(Limits()).one(json.dumps({"message": "m", "timestamp": sent}).encode(), NOW)
    assert (record.timestamp, record.metadata) == (WHEN, {})


@pytest.mark.parametrize(
    "log",
    [
        {"message": "m", "log": {"level": "warn"}, "service": {"name": "shop"}, "a": 1},
        {"message": "m", "log": {"level": "warn", "logger": "x"}, "service": {"name": "shop"}},
        {"message": "m", "log": {"level": 7.5}},
        {"message": "m", "log": {"level": {"deep": 1}}, "service": {"name": ["no", "text"]}},
        {"message": "m", "log": {"LEVEL": "warn"}, "service": {"name": ""}},
        {"message": "m", "log.level": "info", "log": {"level": "warn"}},
        {"message": "m", "error": {"stack_trace": "E: x\n  at y"}, "service": {"name": "shop"}},
        {"message": "m", "log": {}, "service": {"other": 1}, "details": {"zone": "eu"}},
        {"message": {"msg": "m"}, "log": {"level": "warn"}},
        {"event.original": "m", "log": {"logger": 30}, "source": "shop"},
        {"event.original": "m", "error": {"message": True}},
    ],
)
def test_an_object_of_one_field_is_read_as_carefully_as_others(log: dict[str, Any]) -> None:
    lifter = Lifter(FieldTable())
    assert lifter.lift(dict(log), NOW) == lifter.lift_carefully(dict(log), NOW)
