"""A service under load for as long as asked: does its memory stay, and does every count add up in the end?

Run by `make soak`. Ends with exit code 1 when a count is wrong or the memory grew.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from log_aggregator.client import Delivery  # noqa: E402  the root must be on the path first
from log_aggregator.demo import Incident, stream  # noqa: E402
from tests.servers.service import ServiceProcess  # noqa: E402

BATCH = 500
MAY_GROW = 1.15
"""How much larger the memory may be at the end than after the first quarter."""

ROOM = 16 * 1024 * 1024
"""Bytes that do not count: allocators round up."""


def main() -> int:
    """Run, print a line every tenth of the time, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=2000.0, help="logs a second")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        service = ServiceProcess(Path(directory), (ROOT / "plugins.toml").read_text())
        try:
            return judge(*soak(service.start(), args.minutes * 60, args.rate))
        finally:
            service.stop()


def soak(service: ServiceProcess, seconds: float, rate: float) -> tuple[int, int, list[int]]:
    """Send for so long; (logs accepted, logs stored, resident bytes at every tenth)."""
    delivery = Delivery(service.url)
    started = time.monotonic()
    accepted = 0
    memory: list[int] = []
    for batch in _batches(rate, seconds):
        accepted += delivery.send(batch).accepted
        elapsed = time.monotonic() - started
        if elapsed > seconds * (len(memory) + 1) / 10:
            memory.append(_show(service.get("/stats"), elapsed))
        time.sleep(max(0.0, accepted / rate - elapsed))
        if elapsed > seconds:
            break
    delivery.close()
    memory.append(_show(service.get("/stats"), time.monotonic() - started))
    service.post("/flush?deadline=60")
    return accepted, _stored(service), memory


def judge(accepted: int, stored: int, memory: list[int]) -> int:
    """Say what was found; the exit code."""
    early = max(memory[: max(1, len(memory) // 4)])
    grew = memory[-1] > early * MAY_GROW + ROOM
    sys.stdout.write(f"accepted {accepted:,}, stored {stored:,}: {'equal' if accepted == stored else 'WRONG'}\n")
    sys.stdout.write(
        f"memory {early / 2**20:.0f} -> {memory[-1] / 2**20:.0f} MiB: {'IT GREW' if grew else 'it stays'}\n"
    )
    return 1 if grew or accepted != stored else 0


def _batches(rate: float, seconds: float) -> Iterator[list[bytes]]:
    encode = msgspec.json.Encoder().encode
    logs = stream(start=time.time(), rate=rate, incident=Incident(seconds / 3, seconds / 6))
    while True:
        yield [encode(log) for log in itertools.islice(logs, BATCH)]


def _show(stats: dict[str, Any], elapsed: float) -> int:
    memory = int(stats["memory"]["resident_bytes"])
    figures = f"{stats['logs']['accepted']:>12,} logs  {memory / 2**20:6.0f} MiB  queue {stats['queue']['records']:,}"
    sys.stdout.write(f"{elapsed:8.0f} s {figures}  journal {stats['journal']['bytes'] / 2**20:.1f} MiB\n")
    sys.stdout.flush()
    return memory


def _stored(service: ServiceProcess) -> int:
    total, cursor = 0, ""
    while True:
        page = service.get(f"/patterns?limit=500{cursor and f'&cursor={cursor}'}")
        total += sum(row["count"] for row in page["patterns"])
        if not page.get("cursor"):
            return total
        cursor = page["cursor"]


if __name__ == "__main__":
    sys.exit(main())
