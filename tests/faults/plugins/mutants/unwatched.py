"""The service with a bug put in on purpose: nobody watches the event loop."""

from __future__ import annotations

import sys
from typing import Any

from log_aggregator.cli import main
from log_aggregator.isolation import Watch


def run(self: Watch, *_: Any) -> None:
    """Do nothing."""


Watch._run = run  # type: ignore[method-assign]
sys.exit(main())
