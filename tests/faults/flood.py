"""Sends every bad request over and over, one at a time, until it is ended: `python -m tests.faults.flood PORT`."""

from __future__ import annotations

import asyncio
import itertools
import sys

from tests.faults.test_bad_requests import CASES
from tests.faults.wire import ask

PAUSE = 0.02
"""Seconds between two of them: about 50 bad requests a second."""


async def flood(port: int) -> None:
    for number, case in enumerate(itertools.cycle(CASES)):
        answer = await ask(port, case.request, half_close=case.half_close)
        assert answer.status == case.status, case.name
        if number == len(CASES) // 10:
            print("sending", flush=True)
        await asyncio.sleep(PAUSE)


asyncio.run(flood(int(sys.argv[1])))
