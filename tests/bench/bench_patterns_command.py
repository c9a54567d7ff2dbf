"""How fast `log-aggregator patterns` is, start included, beside a template miner that people use (drain3)."""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("log-aggregator"))
LINES = 96_000
DRAIN3_LINES = 10_000
"""drain3 gets a part: it is slow enough to be timed on it."""


def main() -> None:
    """Print one line a figure."""
    from log_aggregator.demo import stream

    lines = [log["message"].partition("\n")[0] for log in itertools.islice(stream(), LINES)]
    with tempfile.TemporaryDirectory() as directory:
        empty, full = Path(directory, "empty"), Path(directory, "full")
        empty.touch()
        full.write_text("".join(f"{line}\n" for line in lines))
        start = min(_cpu(empty) for _ in range(3))
        whole = min(_cpu(full) for _ in range(3))
    miner = _drain3(lines[:DRAIN3_LINES])
    ours = LINES / whole
    sys.stdout.write(f"start                {start:8.2f} s CPU\n")
    sys.stdout.write(f"patterns, with start {ours:8,.0f} lines/s CPU ({LINES:,} lines)\n")
    sys.stdout.write(f"drain3, without      {miner:8,.0f} lines/s CPU ({DRAIN3_LINES:,} lines)\n")
    sys.stdout.write(f"ratio                {ours / miner:8.1f}\n")


def _cpu(path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "patterns", str(path)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _drain3(lines: list[str]) -> float:
    from drain3 import TemplateMiner

    miner = TemplateMiner()
    started = time.process_time()
    for line in lines:
        miner.add_log_message(line)
    return len(lines) / (time.process_time() - started)


if __name__ == "__main__":
    main()
