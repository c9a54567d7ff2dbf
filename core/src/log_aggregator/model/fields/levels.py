"""How levels are spelled by others, and which one each spelling means."""

from __future__ import annotations

from log_aggregator.model.fields.text import clean, is_dirty

MAX_LENGTH = 10
"""Characters of a level; longer ones are cut. The widest that `VARCHAR(10)` columns hold."""

DEFAULT = "INFO"

LARGEST = 10**9
"""Numbers beyond it are no level on any scale."""

_SYNONYMS = {
    "TRACE": "TRC VERBOSE FINER FINEST SILLY T V",
    "DEBUG": "DBG FINE CONFIG D DEBUG1 DEBUG2 DEBUG3 DEBUG4 DEBUG5",
    "INFO": "INF INFORMATION INFORMATIONAL LOG HTTP I",
    "NOTICE": "NOTE N",
    "WARN": "WARNING WRN W",
    "ERROR": "ERR SEVERE FAILURE E",
    "CRITICAL": "CRIT C",
    "FATAL": "FTL PANIC EMERG EMERGENCY ALERT DPANIC F",
}
SYNONYMS = {synonym: level for level, names in _SYNONYMS.items() for synonym in names.split()}

LONG_NAMES = tuple(_SYNONYMS)
"""The levels that spellings mean."""

SYSLOG = ("FATAL", "FATAL", "CRITICAL", "ERROR", "WARN", "NOTICE", "INFO", "DEBUG")
"""Severities 0 to 7 of RFC 5424."""

PINO = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Levels 10 to 60 of pino and bunyan, and what lies between them, by tens."""


def fold(sent: str | int | None) -> tuple[str, bool]:
    """A level as sent → (the level it means, whether one was sent at all)."""
    if sent is None:
        return DEFAULT, False
    if isinstance(sent, int):
        return _number(sent), True
    text = (clean(sent) if is_dirty(sent) else sent).strip().upper()
    if not text:
        return DEFAULT, False
    if text.isdecimal() and len(text) < 4:
        return _number(int(text)), True
    return SYNONYMS.get(text, text)[:MAX_LENGTH], True


def _number(number: int) -> str:
    if 0 <= number < len(SYSLOG):
        return SYSLOG[number]
    if 10 <= number < 70:
        return PINO[number // 10 - 1]
    return str(number)[:MAX_LENGTH]


class Levels(dict[str | int | None, tuple[str, bool]]):
    """Remembers `fold` for the spellings in use. Bounded: clients choose the spellings."""

    def __missing__(self, sent: str | int | None) -> tuple[str, bool]:
        if len(self) >= 1000:
            self.clear()
        folded = fold(sent)
        if not isinstance(sent, str) or len(sent) <= 32:
            self[sent] = folded
        return folded
