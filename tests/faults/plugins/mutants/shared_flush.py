"""The service with a bug put in on purpose: all lanes are given the same flush."""

from __future__ import annotations

import sys
from typing import Any

from log_aggregator.cli.main import main
from log_aggregator.delivery.lane import Lane

_offer = Lane.offer


def offer(self: Lane, flush: Any) -> None:
    names, self._lane_names = self._lane_names, [self.name]
    _offer(self, flush)
    self._lane_names = names


Lane.offer = offer  # type: ignore[method-assign]
sys.exit(main())
