"""The service with a bug put in on purpose: it acknowledges when the commit is queued, not when it is done."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from window import wait_to_be_killed

from log_aggregator.cli.main import main
from log_aggregator.ingest.ingester import Ingester
from log_aggregator.journal import Appended
from log_aggregator.journal.intake import Intake

_append = Intake.append
_commit = Ingester._commit


def slow_append(self: Intake, connection: Any, entries: Any) -> Any:
    wait_to_be_killed()
    return _append(self, connection, entries)


def hasty_commit(self: Ingester) -> None:
    requests = [*self._gathering, *(request for row in self._rows for request in row.requests)]
    _commit(self)
    for request in requests:
        asyncio.get_running_loop().call_soon(request.acknowledge, Appended(0, request.accepted), True)


Intake.append = slow_append  # type: ignore[method-assign]
Ingester._commit = hasty_commit  # type: ignore[method-assign]
sys.exit(main())
