"""The core of the obvious implementation: pydantic models, one regular expression after another, a dictionary."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

RULES = [
    (re.compile(pattern), placeholder)
    for pattern, placeholder in (
        (r'"(?:[^"\\]|\\.)*"', "{TEXT}"),
        (r"\b[a-z][a-z0-9+.-]*://[^\s,;)\]}>\"']+", "{URL}"),
        (r"\b[\w.%+-]+@[\w-]+(?:\.[\w-]+)+\b", "{EMAIL}"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "{TIMESTAMP}"),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b", "{TIMESTAMP}"),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "{UUID}"),
        (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", "{MAC}"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "{IP}"),
        (r"\b0[xX][0-9a-fA-F]+\b", "{HEX}"),
        (r"(?<![\w])(?:/[\w.+@%~=-]+)+/?", "{PATH}"),
        (r"\b\d+(?:\.\d+)? ?(?:ns|us|ms|s|min|h)\b", "{TIME}"),
        (r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B|bytes)\b", "{SIZE}"),
        (r"\b\d+(?:\.\d+)?\b", "{ID}"),
    )
]
SAMPLES = 5

Key = tuple[str, str, str]


class Log(BaseModel):
    """A log as it is sent."""

    message: str
    level: str = "INFO"
    source: str = "unknown"
    metadata: dict[str, Any] | None = None


class Batch(BaseModel):
    """A body of several logs."""

    logs: list[Log]


class Groups:
    """Logs by pattern, level and source. Values of metadata are counted, or, with `counts=False`, the last is kept."""

    def __init__(self, *, counts: bool) -> None:
        self.found: dict[Key, dict[str, Any]] = {}
        self._counts = counts

    def add(self, log: Log) -> None:
        """Count one log."""
        key = (normalize(log.message), log.level, log.source)
        now = datetime.now(UTC)
        group = self.found.get(key)
        if group is None:
            group = self.found[key] = {"count": 0, "first": now, "samples": [], "metadata": {}}
        group["count"] += 1
        group["last"] = now
        if len(group["samples"]) < SAMPLES:
            group["samples"].append(log.message)
        if not log.metadata:
            return
        if not self._counts:
            group["metadata"].update(log.metadata)
            return
        for name, value in log.metadata.items():
            group["metadata"].setdefault(name, Counter())[str(value)] += 1

    def take(self) -> dict[Key, dict[str, Any]]:
        """The groups; counting starts anew."""
        found, self.found = self.found, {}
        return found


def normalize(message: str) -> str:
    """The message with what the rules know replaced."""
    for rule, placeholder in RULES:
        message = rule.sub(placeholder, message)
    return message
