"""How much disk, memory and CPU a service needs: `python -m tests.bench.bench_sizing [--write docs/how-to/size.md]`.

For each number of patterns and keys it starts a service with the default pipeline and its embedded store, sends the
logs of an hour in which every pattern comes in every span of five minutes, once with one log and once with six, and
stores them. The two give what a log costs, and what a stored row costs. The page's tables are computed from these.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
BUCKET = 300
BUCKETS = 12
FEW, MANY = 1, 6
PATTERNS = (20, 200, 2000)
KEYS = (0, 2, 10)
RATES = (1, 10, 100, 1000)
FLUSH_SECONDS = 30
MACHINES = {"Pi Zero 2 W": 0.08, "Pi 3 B+": 0.11, "Pi 4 B": 0.25, "Pi 5": 0.55}
"""The speed of one core relative to one core of the machine that measured; assumed, see the page."""


class Cost(NamedTuple):
    """What one combination of patterns and keys costs."""

    patterns: int
    keys: int
    log_seconds: float
    row_seconds: float
    row_bytes: float
    memory_bytes: int

    def load(self, rate: float) -> float:
        """The share of one core that logs at this rate take, flushes included."""
        rows = min(rate, self.patterns / FLUSH_SECONDS)
        return rate * self.log_seconds + rows * self.row_seconds

    def day_bytes(self, rate: float) -> float:
        """The bytes that a day at this rate adds to the store."""
        return min(self.patterns * 86_400 / BUCKET, rate * 86_400) * self.row_bytes


def sentences(count: int) -> list[str]:
    """Messages of which no two are of one pattern: all words of each are its own."""
    chosen = random.Random(26)
    letters = "bcdfghjklmnprstvwz", "aeiou"
    words = ["".join(chosen.choice(letters[n % 2]) for n in range(8)) for _ in range(count * 4)]
    return [" ".join(words[n * 4 : n * 4 + 4]) + " {} took {} ms" for n in range(count)]


def logs(patterns: int, keys: int, per_row: int, begun: int) -> Iterator[list[dict[str, object]]]:
    """The logs of each bucket, in turn."""
    chosen = random.Random(7)
    texts = sentences(patterns)
    for bucket in range(begun, begun + BUCKETS * BUCKET, BUCKET):
        yield [
            {
                "message": text.format(chosen.randrange(10**6), chosen.randrange(1000)),
                "level": "INFO",
                "source": "shop",
                "timestamp": bucket + n * BUCKET / per_row / 2 + 1,
                "metadata": {f"key{k}": chosen.randrange(50) for k in range(keys)},
            }
            for n in range(per_row)
            for text in texts
        ]


def run(patterns: int, keys: int, per_row: int) -> tuple[float, int, int]:
    """CPU seconds, bytes of the store and resident bytes after the logs of an hour."""
    with tempfile.TemporaryDirectory() as directory:
        service = ServiceProcess(Path(directory), (ROOT / "plugins.toml").read_text(), {"AGGREGATION_WINDOW": "3600"})
        service.start()
        try:
            process = psutil.Process(service.running.pid)
            service.post("/ingest", {"message": "the service is ready"})
            service.post("/flush", {})
            before, empty = cpu(process), store_bytes(service)
            begun = int(time.time()) // BUCKET * BUCKET - (BUCKETS + 1) * BUCKET
            for bucket in logs(patterns, keys, per_row, begun):
                for start in range(0, len(bucket), 1000):
                    status, answer = service.post("/ingest", bucket[start : start + 1000])
                    assert status == 202, answer
                service.post("/flush", {})
            used, resident = cpu(process) - before, process.memory_info().rss
            service.terminate()
            return used, store_bytes(service) - empty, resident
        finally:
            service.stop()


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def store_bytes(service: ServiceProcess) -> int:
    """The bytes of the store's files."""
    return sum(path.stat().st_size for path in service.data_dir.glob("logs.sqlite3*"))


def measure(patterns: int, keys: int) -> Cost:
    """The costs of one combination."""
    few, many = run(patterns, keys, FEW), run(patterns, keys, MANY)
    rows = patterns * BUCKETS
    log_seconds = max(0.0, many[0] - few[0]) / (rows * (MANY - FEW))
    return Cost(patterns, keys, log_seconds, few[0] / rows - log_seconds * FEW, many[1] / rows, many[2])


def tables(costs: list[Cost]) -> str:
    """The tables of the page."""
    lines = ["| patterns | keys | µs a log | µs a row | bytes a row | MB a day at most | RSS, MB |", "|--:" * 7 + "|"]
    lines += [
        f"| {one.patterns} | {one.keys} | {one.log_seconds * 1e6:.0f} | {one.row_seconds * 1e6:.0f} | "
        f"{one.row_bytes:.0f} | {one.day_bytes(10**9) / 1e6:.0f} | {one.memory_bytes / 2**20:.0f} |"
        for one in costs
    ]
    lines += ["", "| patterns | keys |" + "".join(f" {rate}/s |" for rate in RATES), "|--:" * (2 + len(RATES)) + "|"]
    lines += [f"| {one.patterns} | {one.keys} |" + "".join(f" {shown(one, rate)} |" for rate in RATES) for one in costs]
    lines += ["", "| machine | of this core |" + "".join(f" {one.patterns} patterns |" for one in worst(costs))]
    lines += ["|---|--:|" + "--:|" * len(worst(costs))]
    lines += [
        f"| {name} (computed) | {speed:.2f} |" + "".join(f" {highest(one, speed):,.0f}/s |" for one in worst(costs))
        for name, speed in MACHINES.items()
    ]
    return "\n".join(lines) + "\n"


def shown(cost: Cost, rate: float) -> str:
    """MB a day and the share of a core."""
    return f"{cost.day_bytes(rate) / 1e6:.1f} MB, {cost.load(rate):.1%}"


def worst(costs: list[Cost]) -> list[Cost]:
    """Of each number of patterns the dearest combination."""
    counts = sorted({one.patterns for one in costs})
    return [max((one for one in costs if one.patterns == n), key=lambda one: one.load(100)) for n in counts]


def highest(cost: Cost, speed: float) -> float:
    """The rate that takes half of one core of a machine of this speed."""
    return max(0.0, 0.5 * speed - cost.patterns / FLUSH_SECONDS * cost.row_seconds) / cost.log_seconds


def main() -> None:
    """Measure, print, and write the tables into the page when one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="the page whose tables are replaced")
    parser.add_argument("--patterns", type=int, nargs="+", default=PATTERNS, help="these numbers of patterns only")
    given = parser.parse_args()
    costs = []
    for patterns in given.patterns:
        for keys in KEYS:
            costs.append(measure(patterns, keys))
            print(json.dumps(costs[-1]._asdict()), flush=True)
    print(tables(costs))
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        parts = re.split(r"(?<=<!-- measured -->\n)\n.*?(?=<!-- end -->)", text, flags=re.DOTALL)
        given.write.write_text(parts[0] + "\n" + tables(costs) + "\n" + parts[1], encoding="utf-8")


if __name__ == "__main__":
    main()
