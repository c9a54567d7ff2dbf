"""The service on a machine so slow that every call of a plugin counts as a stall. `guards_open` adds the bug."""

from __future__ import annotations

import sys
from typing import Any

from log_aggregator.cli.main import main
from log_aggregator.plugins.isolation import CircuitBreaker, circuit_breaker

circuit_breaker.SLOW_CALL = circuit_breaker.STALL = 0.0


class Opening(CircuitBreaker):
    """The bug: five stalls open the circuit of any plugin, whatever its `on_error` says."""

    def __init__(self, name: str, **_: Any) -> None:
        super().__init__(name, opens=True)


if sys.argv[1] == "guards_open":
    from log_aggregator.plugins import stages

    stages.CircuitBreaker = Opening  # type: ignore[misc]
sys.argv = [sys.argv[0], *sys.argv[2:]]
sys.exit(main())
