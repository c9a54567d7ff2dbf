"""The service with a bug put in on purpose: a receiver's position is written in a transaction of its own."""

from __future__ import annotations

import sys
from typing import Any

from window import wait_to_be_killed

from log_aggregator.cli.main import main
from log_aggregator.ingest.ingester import Ingester
from log_aggregator.journal import Appended
from log_aggregator.journal.intake import Intake
from log_aggregator.journal.positions import write_position

_append = Intake.append
_settle = Ingester._settle


def append_alone(self: Intake, connection: Any, entries: Any) -> Any:
    return _append(self, connection, [entry._replace(position=None) for entry in entries])


def settle_then_write(self: Ingester, row: Any, result: Any) -> None:
    position = row.entry.position if row.entry is not None else None
    if position is not None and isinstance(result, Appended):

        def write(connection: Any) -> None:
            wait_to_be_killed()
            write_position(connection, position)

        self._journal.writer.submit(write)  # type: ignore[attr-defined]
    _settle(self, row, result)


Intake.append = append_alone  # type: ignore[method-assign]
Ingester._settle = settle_then_write  # type: ignore[method-assign]
sys.exit(main())
