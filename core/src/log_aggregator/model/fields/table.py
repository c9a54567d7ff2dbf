"""The field table: under which names JSON objects hold a record's message, stack, level, source and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

STREAMS = frozenset({"stdout", "stderr"})
"""What Docker's drivers call `source`: a stream, not who logged."""

OWN = ("message", "level", "source", "timestamp", "metadata")
"""The names of `POST /ingest`."""


class FieldTable(NamedTuple):
    """For each field the names it is looked for under; the first that holds something usable is taken.

    A name with dots matches a key with dots, or a path into nested objects. Case does not matter. A stack is appended
    to the message. With `enabled` off, HTTP takes its own names only; receivers use the table all the same.
    """

    message: tuple[str, ...] = (
        "message", "msg", "short_message", "log", "body", "event", "@m", "@mt", "fields.message", "text", "line",
        "textpayload", "renderedmessage", "messagetemplate", "@message", "event.original", "errormessage",
        "err.message", "error.message", "exception.message", "err", "error", "state.message", "resultdescription",
    )  # fmt: skip
    level: tuple[str, ...] = (
        "level", "severity", "lvl", "log.level", "severity_text", "levelname", "@l", "loglevel", "log_level",
        "detected_level", "level_name", "severitytext", "level.name", "level.levelstr", "level.text", "levelstr",
        "log.severity", "severity_number", "severitynumber", "priority", "s", "@level",
        "error_severity", "leveldisplayname",
    )  # fmt: skip
    source: tuple[str, ...] = (
        "service.name", "source", "service_name", "service", "app", "application", "appname", "app_name",
        "application_name", "program", "ident", "kubernetes.container_name", "kubernetes.container.name",
        "k8s.container.name", "container_name", "container.name", "syslog_identifier", "_systemd_unit", "_comm",
        "logger", "log.logger", "logger_name", "loggername", "sourcecontext", "channel", "categoryname", "category",
        "name", "target", "@module", "providername", "resource.labels.container_name", "resource.labels.service_name",
        "resource.labels.function_name", "host.name", "host", "hostname", "_hostname",
    )  # fmt: skip
    timestamp: tuple[str, ...] = (
        "@timestamp", "@t", "timestamp", "time", "ts", "date", "datetime", "asctime", "t.$date", "timestampseconds",
        "eventtime", "event_time", "time_iso8601", "time_local", "_source_realtime_timestamp", "__realtime_timestamp",
        "t", "created", "timemillis", "timecreated",
    )  # fmt: skip
    stack: tuple[str, ...] = (
        "err.stack", "error.stack_trace", "error.stack", "error.stacktrace", "exception.stacktrace",
        "exception.stack_trace", "stack_trace", "stacktrace", "stack", "@x", "thrown.extendedstacktrace",
        "exception.stacktracestring", "exc_info", "exc_text", "exception", "backtrace", "errorverbose",
        "context.exception", "extra.stack_trace", "error", "err", "thrown", "stack_info",
    )  # fmt: skip
    enabled: bool = True

    def with_names(self, more: Mapping[str, tuple[str, ...]]) -> FieldTable:
        """The table with more names, which come before its own. Raises `ValueError` for a field that it has not."""
        if unknown := set(more) - set(self._fields[:-1]):
            raise ValueError(f"{min(unknown)}: no field; expected one of {', '.join(self._fields[:-1])}")
        table = self
        for field, names in more.items():
            table = table._replace(**{field: (*names, *getattr(table, field))})  # type: ignore[arg-type]  # no switch
        return table
