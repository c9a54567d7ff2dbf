"""The service with a bug put in on purpose: it does not remember the bodies that it took."""

from __future__ import annotations

import sys
from typing import Any

from window import wait_to_be_killed

from log_aggregator.cli.main import main
from log_aggregator.journal import writer
from log_aggregator.journal.intake import Intake
from log_aggregator.journal.keys import Keys

_append = Intake.append
_resolve = writer._resolve
_taken: list[list[Any]] = []


def append(self: Intake, connection: Any, entries: Any) -> Any:
    results = _append(self, connection, entries)
    if any(entry.key is not None and entry.position is None for entry in entries):
        _taken.append(results)
    return results


def resolve_later(outcomes: Any) -> None:
    """Between the commit and the answer: whoever sent it sends it again."""
    if any(result is taken for _, result, _ in outcomes for taken in _taken):
        wait_to_be_killed()
    _taken.clear()
    _resolve(outcomes)


def forget(self: Keys, connection: Any, key: str, known: Any, now: int) -> None:
    """Remember nothing."""


Intake.append = append  # type: ignore[method-assign]
writer._resolve = resolve_later
Keys.remember = forget  # type: ignore[method-assign]
sys.exit(main())
