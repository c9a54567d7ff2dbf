"""How fast `log-aggregator patterns` is, start included, beside a template miner that people use.

That is drain3 with its usual masks, on the same lines: the more it has seen, the slower it is."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import corpus
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, shown

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("log-aggregator"))
LINES = 96_000

MASKS = (
    ("ID", r"([0-9a-f]{2,}:){3,}([0-9a-f]{2,})"),
    ("IP", r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"),
    ("SEQ", r"([0-9a-f]{6,} ?){3,}"),
    ("SEQ", r"([0-9A-F]{4} ?){4,}"),
    ("HEX", r"0x[a-f0-9A-F]+"),
    ("NUM", r"[\-\+]?\d+"),
)
"""What the example of drain3's documentation replaces before it learns: without, every number is a word."""


def rows(_: Options, progress: Progress) -> list[Row]:
    """CPU of the command for an empty file and for a full one, and of drain3 for the same lines."""
    progress.step("log-aggregator patterns, beside drain3")
    lines = [log["message"].partition("\n")[0] for log in corpus.logs(LINES)]
    with tempfile.TemporaryDirectory() as directory:
        empty, full = Path(directory, "empty"), Path(directory, "full")
        empty.touch()
        full.write_text("".join(f"{line}\n" for line in lines))
        start = min(_cpu(empty) for _ in range(3))
        whole = min(_cpu(full) for _ in range(3))
    ours, miner = LINES / whole, _drain3(lines)
    measured = (
        f"{ours:,.0f} lines per CPU second, of {LINES:,} with {start:.2f} s of start; drain3 {miner:,.0f} without"
    )
    figures = {"start_cpu_seconds": start, "lines_per_cpu_second": ours, "drain3_lines_per_cpu_second": miner}
    return [Row("log-aggregator patterns FILE over drain3", "", f"{ours / miner:.1f} times; {measured}", None, figures)]


def _cpu(path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "patterns", str(path)], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _drain3(lines: list[str]) -> float:
    """Lines that drain3 takes in a CPU second, with the masks of its example."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    alone = r"((?<=[^A-Za-z0-9])|^)({})((?=[^A-Za-z0-9])|$)"
    config.masking_instructions = [MaskingInstruction(alone.replace("{}", mask), name) for name, mask in MASKS]
    miner = TemplateMiner(config=config)
    started = time.process_time()
    for line in lines:
        miner.add_log_message(line)
    return len(lines) / (time.process_time() - started)


if __name__ == "__main__":
    print(shown(rows(Options(), Progress())))
