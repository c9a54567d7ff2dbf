"""The service with a bug put in on purpose: it does not remember the bodies that it took."""

from __future__ import annotations

import sys
import time
from typing import Any

from log_aggregator.cli.main import main
from log_aggregator.journal import Intake
from log_aggregator.journal.keys import Keys

_append = Intake.append


def slow_append(self: Intake, connection: Any, entries: Any) -> Any:
    time.sleep(0.02)  # a slow disk: more clients wait for their answer when the service is killed
    return _append(self, connection, entries)


def forget(self: Keys, connection: Any, key: str, known: Any, now: int) -> None:
    """Remember nothing."""


Intake.append = slow_append  # type: ignore[method-assign]
Keys.remember = forget  # type: ignore[method-assign]
sys.exit(main())
