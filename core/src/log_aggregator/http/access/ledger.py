"""What is known of each API key and of wrong ones: last use, logs of the day, rates, who guesses."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from log_aggregator.http.access.keys import ApiKey
from log_aggregator.http.access.rates import MOST, Rate

FILE = "api-keys.json"
"""In the data directory: what must outlive a restart. Holds names of keys, never a key."""

GUESSES_AT_ONCE = 10
"""Wrong keys of one client that are looked at without a pause."""

GUESS_PAUSE = 2.0
"""Seconds that each further wrong key of a client costs it."""

BURST = 10.0
"""Seconds' worth of its rate that a key may use at once."""

_DAY = 86_400

log = logging.getLogger(__name__)


class Use(msgspec.Struct):
    """Of one key: when it was used last (epoch seconds), and its logs of one day (days since 1970, UTC)."""

    last: float = 0.0
    day: int = 0
    logs: int = 0


class Ledger:
    """Of one process, over reloads. Not for several threads."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """`path` is the file of `read` and `encoded`; `None` remembers nothing over a restart."""
        self.path = path
        self.refused: Counter[str] = Counter()
        self._clock = clock
        self._uses: dict[str, Use] = read_uses(path) if path is not None else {}
        self._rates: dict[tuple[str, float], Rate] = {}
        self._guesses = Rate(1 / GUESS_PAUSE, GUESSES_AT_ONCE * GUESS_PAUSE)
        self._good: OrderedDict[tuple[str, str], None] = OrderedDict()

    def used(self, key: ApiKey, client: str) -> None:
        """Note that a client has shown a good key."""
        self._use(key).last = self._clock()
        pair = client, key.name
        if pair not in self._good:
            self._good[pair] = None
            if len(self._good) > MOST:
                self._good.popitem(last=False)

    def guess_wait(self, client: str, key: ApiKey | None) -> float:
        """Seconds that a client must wait after wrong keys. A key that it has used before is not held up."""
        wait = self._guesses.wait(client)
        return 0.0 if wait and key is not None and (client, key.name) in self._good else wait

    def guessed(self, client: str) -> None:
        """Note a wrong key."""
        self._guesses.charge(client, 1)

    def wait(self, key: ApiKey) -> float:
        """Seconds until a key is within its rate again; 0 when it is."""
        return self._rate(key).wait(key.name) if key.rate else 0.0

    def left(self, key: ApiKey) -> int | None:
        """Logs that a key may still send today; `None`: any number."""
        if key.quota is None:
            return None
        use, today = self._use(key), self._today()
        return max(0, key.quota - (use.logs if use.day == today else 0))

    def until_tomorrow(self) -> float:
        """Seconds until quotas begin anew: midnight UTC."""
        return _DAY - self._clock() % _DAY

    def charge(self, key: ApiKey, count: int, *, logs: bool) -> None:
        """Charge logs, or calls that send none, to the rate of a key; logs to its quota too."""
        if key.rate:
            self._rate(key).charge(key.name, count)
        if logs:
            use, today = self._use(key), self._today()
            if use.day != today:
                use.day, use.logs = today, 0
            use.logs += count

    def figures(self) -> dict[str, dict[str, int]]:
        """For `/stats`: refused keys by reason."""
        return {"refused": dict(self.refused)}

    def encoded(self) -> bytes:
        """What belongs in the file."""
        return msgspec.json.encode(self._uses)

    def _use(self, key: ApiKey) -> Use:
        use = self._uses.get(key.name)
        if use is None:
            use = self._uses[key.name] = Use()
        return use

    def _rate(self, key: ApiKey) -> Rate:
        assert key.rate is not None
        known = self._rates.get((key.name, key.rate))
        if known is None:
            known = self._rates[key.name, key.rate] = Rate(key.rate, BURST)
        return known

    def _today(self) -> int:
        return int(self._clock() // _DAY)


def read_uses(path: Path) -> dict[str, Use]:
    """The file's content by the name of the key; empty when there is none, or when it is broken."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Use])
    except (FileNotFoundError, NotADirectoryError):  # what is wrong with the directory, the start itself says
        return {}
    except (OSError, msgspec.DecodeError) as error:
        log.warning("last use and quotas of API keys are lost: the file is broken", extra={"error": str(error)})
        return {}


def last_uses(data_dir: Path) -> dict[str, datetime]:
    """When each key was used last, over all workers of a data directory."""
    found: dict[str, float] = {}
    for path in (data_dir / FILE, *data_dir.glob(f"worker-*/{FILE}")):
        for name, use in read_uses(path).items():
            found[name] = max(use.last, found.get(name, 0.0))
    return {name: datetime.fromtimestamp(last, UTC) for name, last in found.items() if last}


def write(path: Path, content: bytes) -> None:
    """Replace the file at once. An error costs only what it would have kept."""
    partial = path.with_suffix(".partial")
    with contextlib.suppress(OSError):
        partial.touch(mode=0o600)
        partial.write_bytes(content)
        partial.replace(path)
