"""Labels as Loki writes them, `{app="shop", quote="a\\"b"}`, and what they say of a stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

LEVELS = ("level", "severity", "lvl", "severity_text", "log_level", "loglevel", "levelname", "detected_level")

SOURCES = (
    "service_name", "service", "app", "application", "app_name", "name", "app_kubernetes_io_name",
    "com_docker_compose_service", "compose_service", "container", "container_name", "k8s_container_name", "component",
    "workload", "job", "k8s_job_name", "syslog_identifier", "unit", "systemd_unit", "logger", "host", "hostname",
)  # fmt: skip
"""Labels that name a source: in Loki's own order, then what syslog and journald pipelines set."""

_PAIR = re.compile(r'\s*([A-Za-z_][\w.:/-]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_UNKNOWN = frozenset({"", "unknown", "unknown_service"})


class LabelsError(ValueError):
    """These are no labels."""


class Stream(NamedTuple):
    """What the labels of a stream say: level and source where they name one, all others as metadata."""

    level: str | None
    source: str | None
    metadata: dict[str, Any]


def parse(text: str) -> dict[str, str]:
    """Labels as text → names and values. Raises `LabelsError`."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise LabelsError('labels: expected {name="value", …}')
    inner, at = text[1:-1].rstrip().removesuffix(","), 0
    found: dict[str, str] = {}
    while at < len(inner):
        pair = _PAIR.match(inner, at)
        if pair is None:
            raise LabelsError('labels: expected {name="value", …}')
        value = pair[2]
        found[pair[1]] = _ESCAPE.sub(_unescaped, value) if "\\" in value else value
        at = pair.end()
    return found


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    if len(code) == 3:
        return chr(int(code, 8))
    return _ESCAPED.get(code, code)


def stream_of(labels: Mapping[str, Any]) -> Stream:
    """What labels, or structured metadata, say."""
    level, level_label = _first(labels, LEVELS)
    source, source_label = _first(labels, SOURCES)
    metadata = {name: value for name, value in labels.items() if name not in (level_label, source_label)}
    return Stream(level, source, metadata)


def _first(labels: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str | None, str]:
    for name in names:
        value = labels.get(name)
        if isinstance(value, str) and value.strip() and value not in _UNKNOWN:
            return value, name
    return None, ""
