"""The service with a bug put in on purpose: what a stage raises is not caught."""

from __future__ import annotations

import sys
from typing import Any

from log_aggregator.cli.main import main
from log_aggregator.plugins.stages import Stages


def call(self: Stages, plugin: Any, hook: str, records: Any) -> Any:
    return plugin.hooks[hook](records=records)


Stages._call = call  # type: ignore[method-assign]
sys.exit(main())
