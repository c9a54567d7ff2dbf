"""The service with a bug put in on purpose: nobody watches the event loop."""

from __future__ import annotations

import sys
from typing import Any

from log_aggregator.cli.main import main
from log_aggregator.plugins.isolation import StallWatchdog


def run(self: StallWatchdog, *_: Any) -> None:
    """Do nothing."""


StallWatchdog._run = run  # type: ignore[method-assign]
sys.exit(main())
