"""Which format a text is in: by its first characters, then by one expression for each format that may begin so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from log_aggregator_formats import access, envelopes, errorlogs, prefixes
from log_aggregator_formats.config import FormatName
from log_aggregator_formats.found import Found
from log_aggregator_formats.structured import Structured

Step = Callable[[Found], bool]
"""Takes what it recognises off the text; whether it did. One that only sets the level returns false."""

MOST_STEPS = 5
"""Formats inside of one another: Compose around syslog around JSON."""


class Recogniser:
    """The formats that are in force, by the kind of a text's first character."""

    def __init__(self, outcomes: tuple[str, ...], off: frozenset[str], zone: tzinfo) -> None:
        structured = Structured(outcomes)
        self._zone = zone
        self._structured = structured

        def on(name: FormatName, *steps: Step) -> tuple[Step, ...]:
            return () if name in off else steps

        timed = on("prefix", prefixes.timed)
        self._brace = on("json", structured.json)
        self._digit = (
            *on("access", access.common, access.haproxy, access.iis, access.quoted),
            *on("container", envelopes.cri),
            *on("syslog", envelopes.syslog),
            *on("prefix", envelopes.redis, envelopes.logcat),
            *timed,
            *on("container", envelopes.compose),
        )
        self._bracket = (
            *on("prefix", envelopes.kernel, errorlogs.apache, self._monolog),
            *timed,
            *on("prefix", prefixes.levelled),
        )
        self._angle = on("syslog", envelopes.priority)
        self._quote = (*on("access", access.quoted), *on("key-value", structured.quoted))
        self._letter = (
            *on("prefix", envelopes.klog, envelopes.logcat_brief, prefixes.ruby, prefixes.util_logging),
            *on("syslog", envelopes.syslog),
            *on("container", envelopes.compose),
            *on("key-value", structured.logfmt),
            *on("access", access.common, access.quoted, access.plain),
            *on("prefix", prefixes.timed, prefixes.levelled),
        )
        self._after_level = (*on("prefix", errorlogs.nginx),)

    def recognise(self, message: str, now: int) -> Found | None:
        """What a message is, or `None` when it is a plain sentence. `now` is the time of receipt."""
        found = Found(message, now, self._zone)
        lifted = False
        for _ in range(MOST_STEPS):
            if not self._step(found):
                break
            lifted = True
        if not lifted and not found.level:
            return None
        if not found.text.strip():
            return None
        return found

    def _step(self, found: Found) -> bool:
        text = found.text
        first = text[:1]
        steps: tuple[Step, ...]
        if first.isalpha():
            steps = self._letter
        elif first.isdigit():
            steps = self._digit
        elif first == "[":
            steps = self._bracket
        elif first == "{":
            steps = self._brace
        elif first == "<":
            steps = self._angle
        elif first == '"':
            steps = self._quote
        elif first == ":":
            steps = self._digit
        else:
            return False
        if any(step(found) for step in steps):
            return True
        return bool(found.level) and any(step(found) for step in self._after_level)

    def _monolog(self, found: Found) -> bool:
        if not prefixes.monolog(found):
            return False
        self._structured.context(found)
        return True
