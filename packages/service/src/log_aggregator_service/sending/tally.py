"""What became of everything that was sent: counts, and the first reasons for what was refused."""

from __future__ import annotations

import time
from collections.abc import Sequence

from log_aggregator_client.delivery import Outcome

_REASONS = 5


class Tally:
    """Adds up outcomes and says the result in a sentence."""

    def __init__(self, unit: str) -> None:
        """`unit` is what the numbers given to `add` count, such as `line`."""
        self.unit = unit
        self.accepted = 0
        self.refused = 0
        self.retries = 0
        self._reasons: list[str] = []
        self._started = time.monotonic()

    @property
    def sent(self) -> int:
        """Logs that the service has answered for."""
        return self.accepted + self.refused

    @property
    def seconds(self) -> float:
        """Time since the tally was begun."""
        return time.monotonic() - self._started

    def add(self, outcome: Outcome, numbers: Sequence[int]) -> None:
        """Add the outcome of a batch; `numbers` says where each of its logs was found."""
        self.accepted += outcome.accepted
        self.refused += outcome.refused
        for position, reason in outcome.reasons[: _REASONS - len(self._reasons)]:
            place = f"{self.unit} {numbers[position]}" if 0 <= position < len(numbers) else f"one {self.unit}"
            self._reasons.append(f"  {place}: {reason}")

    def report(self) -> str:
        """Counts, speed, and why the first ones were refused; several lines."""
        seconds = max(self.seconds, 1e-3)
        logs = "1 log" if self.accepted == 1 else f"{self.accepted:,} logs"
        lines = [f"{logs} accepted in {seconds:.1f} s ({self.accepted / seconds:,.0f}/s)"]
        if self.retries:
            lines[0] += f", {self.retries} {'try' if self.retries == 1 else 'tries'} repeated"
        if self.refused:
            lines += [f"{self.refused:,} refused:", *self._reasons]
        if self.refused > len(self._reasons):
            lines.append(f"  … and {self.refused - len(self._reasons):,} more")
        return "\n".join(lines)
