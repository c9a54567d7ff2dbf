"""Counted failures: `0 failed, 12 passed` is harmless, `errors: 3` is not. A pattern masks the number that decides."""

from __future__ import annotations

import re

_WRONG = (
    r"(?:errors|failed|failures|exceptions|crashes|warnings"
    r"|(?:error|failure|warning)(?=[,;.]|$| found| count| total))"
)
_NAME = r"(?:errors?|err|failures?|failed|exceptions?|warnings?)(?: count| total)?(?:\s?:\s?|=)"
_EXIT = r"exit(?:ed)?(?: with)?(?: code| status| value)?\s?[:=]?\s?"
_MASKED = re.compile(rf"(?i)\b{_EXIT}[{{\d]|\{{[A-Z_]+\}} (?:\w+ )?{_WRONG}\b|\b{_NAME}[{{\d]|\b0 (?:\w+ )?{_WRONG}\b")
_COUNTED = re.compile(
    rf"(?i)(?<![\w.])(?P<before>\d{{1,15}}) (?:\w+ )?(?P<what>{_WRONG})\b"
    rf"|\b(?P<exit>{_EXIT})(?P<code>\d{{1,10}})(?![\w.])"
    rf"|\b(?P<named>{_NAME})(?:(?P<behind>\d{{1,15}})(?![\w.])|(?P<none>none|null|nil|false|\"\")(?!\w))"
)


def counts_failures(pattern: str) -> bool:
    """Whether the level of messages of this pattern hangs on a number in them."""
    return _MASKED.search(pattern[:4000]) is not None


def severity_of_counts(message: str) -> str:
    """The level that the counts of a message mean; empty when it has none."""
    worst = ""
    for match in _COUNTED.finditer(message[:4000]):
        if match["none"] is not None or int(match["before"] or match["behind"] or match["code"]) == 0:
            worst = worst or "INFO"
        elif (match["what"] or match["named"] or match["exit"]).lower().startswith("warn"):
            worst = "ERROR" if worst == "ERROR" else "WARN"
        else:
            worst = "ERROR"
    return worst
