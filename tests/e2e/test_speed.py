"""What must not become slow unnoticed: ratios of CPU per log, measured in one run, each with a wide margin.

No time is asserted. Two sides of a ratio take turns, so that what else happens on the machine strikes both, and the
middle of the rounds is what counts. How large the ratios really are: `make bench` and docs/explanation/performance.md.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.bench import candidates, corpus, load
from tests.bench.candidates import Server

pytestmark = [pytest.mark.serial, pytest.mark.timeout(900)]

ROUNDS = 3
GIVEN_UP = 200.0
"""Seconds for one run that takes less than one."""


@pytest.fixture(scope="module")
def ours() -> Iterator[Server]:
    with candidates.ours(None) as server:
        yield server


@cache
def bodies(count: int, size: int) -> tuple[bytes, ...]:
    return tuple(corpus.bodies(count, size))


def cpu_per_log(server: Server, size: int, requests: int, different: int = 0) -> float:
    """CPU seconds of the server for one log, from the first request until all are stored.

    So many `different` bodies are sent in turn; otherwise each is another one.
    """
    path = "/ingest" if size == 1 else "/ingest/batch"
    before = server.cpu()
    sending = list(bodies(different or requests, size))
    sent = load.run(load.Load(server.url + path, sending, 16, GIVEN_UP, requests=requests))
    if server.stores:
        candidates.flush(server)
    assert (sent.requests, sent.failed) == (requests, 0)
    return (server.cpu() - before) / (requests * size)


def ratio(dear: Callable[[], float], cheap: Callable[[], float]) -> float:
    """How many times more the first costs than the second: the middle of some rounds, after one to warm up."""
    dear(), cheap()
    ratios = sorted(dear() / cheap() for _ in range(ROUNDS))
    print(", ".join(f"{found:.2f}" for found in ratios))
    return statistics.median(ratios)


def test_a_log_in_a_batch_costs_far_less_than_one_alone(ours: Server) -> None:
    """Measured: about 18 times."""
    assert ratio(lambda: cpu_per_log(ours, 1, 2000), lambda: cpu_per_log(ours, 1000, 40)) > 5


def test_the_disk_costs_less_than_the_rest(ours: Server) -> None:
    """Measured: memory mode saves about an eighth."""
    with candidates.ours(None, DURABILITY="memory") as memory:
        times = ratio(lambda: cpu_per_log(ours, 100, 300), lambda: cpu_per_log(memory, 100, 300))
    assert 1 / times > 0.4


def test_a_single_log_costs_a_few_times_what_the_web_framework_costs(ours: Server) -> None:
    """Measured: about four times a handler that reads the body and answers.

    Some lines come again and again: what a new row costs in the store is no part of the road of a log.
    """

    def cost(server: Server) -> float:
        return cpu_per_log(server, 1, 2000, different=250)

    with candidates.script("baseline_aiohttp", None, stores=False) as bare:
        assert ratio(lambda: cost(ours), lambda: cost(bare)) < 6


@pytest.mark.skipif(
    bool(candidates.baseline_missing()),
    reason=f"nothing to compare with: pip install -r tests/bench/requirements.txt ({candidates.baseline_missing()})",
)
def test_the_obvious_implementation_costs_a_few_times_more(ours: Server) -> None:
    """Measured: more than five times as much, batches of 1000."""
    with candidates.script("baseline_fastapi", None) as obvious:
        assert ratio(lambda: cpu_per_log(obvious, 1000, 15), lambda: cpu_per_log(ours, 1000, 60)) > 3
