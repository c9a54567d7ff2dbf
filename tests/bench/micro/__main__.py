"""What logs cost whose messages hold something new each: in this process, without HTTP and disk, in a minute.

    python -m tests.bench.micro [--only NAME ...] [--rounds 3] [--logs 3000]

Both sides take turns in each round, on lines that no round before had. The ratio is how many logs ours does in the CPU
time of one of the obvious implementation, which counts the values of metadata (`counts`) or keeps the last (`drops`).
Medians of the rounds, lowest to highest; the worst line comes first. What the service prepares once, such as its
rules for new shapes, it prepared before: with 4000 lines that hold something new.
"""

from __future__ import annotations

import argparse
import logging

from tests.bench.micro.lines import MIXES
from tests.bench.micro.measure import LOGS, measure, table, warm


def main() -> None:
    """Measure and print."""
    logging.disable()  # a stage that holds up the loop is named many times: here only what it costs counts
    parser = argparse.ArgumentParser(prog="python -m tests.bench.micro", description=__doc__)
    parser.add_argument("--only", nargs="+", help="mixes whose names begin so")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--logs", type=int, default=LOGS, help="of each round; without anything fresh four times")
    given = parser.parse_args()
    ours = warm()
    chosen = [mix for mix in MIXES if not given.only or mix.name.startswith(tuple(given.only))]
    print(table([measure(mix, ours, given.rounds, given.logs) for mix in chosen]))


if __name__ == "__main__":
    main()
