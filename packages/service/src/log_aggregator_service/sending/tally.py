"""What became of everything that was sent: counts, and the reasons for what was refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from log_aggregator_client.delivery import Outcome

_REASONS = 10


class Tally:
    """Adds up outcomes and says the result in a few sentences."""

    def __init__(self) -> None:
        self.accepted = 0
        self.refused = 0
        self.retries = 0
        self._reasons: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._started = time.monotonic()

    @property
    def sent(self) -> int:
        """Logs that the service has answered for."""
        return self.accepted + self.refused

    @property
    def seconds(self) -> float:
        """Time since the tally was begun."""
        return time.monotonic() - self._started

    def add(self, outcome: Outcome, places: Sequence[str]) -> None:
        """Add the outcome of a batch; `places` says where each of its logs was found."""
        self.accepted += outcome.accepted
        self.refused += outcome.refused
        for position, reason in outcome.reasons:
            self._reasons[reason] += 1
            if reason not in self._first and len(self._first) < 10_000:
                self._first[reason] = places[position] if 0 <= position < len(places) else "one of them"

    def report(self) -> str:
        """Counts, speed, and why logs were refused, the most frequent reason first; several lines."""
        seconds = max(self.seconds, 1e-3)
        logs = "1 log" if self.accepted == 1 else f"{self.accepted:,} logs"
        lines = [f"{logs} accepted in {seconds:.1f} s ({self.accepted / seconds:,.0f}/s)"]
        if self.retries:
            lines[0] += f", {self.retries} {'try' if self.retries == 1 else 'tries'} repeated"
        if self.refused:
            lines.append(f"{self.refused:,} refused:")
        for reason, count in self._reasons.most_common(_REASONS):
            lines.append(f"  {count:,} x {reason} (first: {self._first.get(reason, 'one of them')})")
        if len(self._reasons) > _REASONS:
            lines.append(f"  … and {len(self._reasons) - _REASONS:,} other reasons")
        return "\n".join(lines)
