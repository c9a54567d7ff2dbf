"""What a neighbour waits for during each attack, against what it waits for under honest full load.

`python -m tests.bench.bench_neighbours [ATTACK …]`; attacks: `tests/faults/attacks.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.attacks import NAMES
from tests.faults.case import log
from tests.faults.wire import leave, one, read_answer
from tests.support.service import ServiceProcess

NEIGHBOUR = "127.0.0.2"
SAMPLES = 300
ROUNDS = 3
PIPELINE = "[plugins.formats]\n[plugins.redact]\n[plugins.patterns]\n[plugins.templates]\n[plugins.sqlite]\n"


@contextlib.contextmanager
def under(attack: str, port: int) -> Iterator[None]:
    """Something that is sent beside, from a process of its own."""
    sender = subprocess.Popen([sys.executable, "-m", "tests.faults.attacks", attack, str(port)], stdout=subprocess.PIPE)
    assert sender.stdout is not None
    try:
        assert sender.stdout.readline() == b"attacking\n"
        yield
        assert sender.poll() is None, f"{attack} ended early"
    finally:
        sender.kill()
        sender.wait()
        sender.stdout.close()


async def waits(port: int, samples: int) -> list[float]:
    """How long a neighbour at another address waits for the answer to a log, in seconds, shortest first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(NEIGHBOUR, 0))
    took = []
    try:
        for _ in range(samples):
            began = time.perf_counter()
            writer.write(one(log()))
            assert (await read_answer(reader)).status == 202
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.002)
    finally:
        await leave(writer)
    return sorted(took)


async def p99(attack: str, port: int, samples: int = SAMPLES) -> float:
    """The neighbour's 99th percentile beside an attack that has begun."""
    with under(attack, port):
        await waits(port, samples // 3)
        return (await waits(port, samples))[int(samples * 0.99)]


async def measure(attack: str) -> str:
    """One line of the table: the neighbour's 99th percentile alone, under honest full load, and beside an attack."""
    with tempfile.TemporaryDirectory() as directory:
        service = ServiceProcess(Path(directory), PIPELINE).start()
        port = int(service.url.rpartition(":")[2])
        try:
            alone = (await waits(port, SAMPLES))[int(SAMPLES * 0.99)]
            pairs = [(await p99("honest", port), await p99(attack, port)) for _ in range(ROUNDS)]
        finally:
            service.stop()
    ratios = sorted(beside / honest for honest, beside in pairs)
    honest, beside = min(pairs, key=lambda pair: abs(pair[1] / pair[0] - ratios[ROUNDS // 2]))
    return f"| {attack} | {alone * 1e3:.0f} | {honest * 1e3:.0f} | {beside * 1e3:.0f} | {ratios[ROUNDS // 2]:.2f} |"


async def main(attacks: Sequence[str]) -> None:
    """Print the table."""
    print("| attack | alone, ms | honest full load, ms | beside the attack, ms | median ratio |\n|---|---|---|---|---|")
    for attack in attacks:
        print(await measure(attack), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or NAMES[1:]))
