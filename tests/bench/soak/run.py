"""The soak itself: how much the service can take, then a share of that for as long as asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.bench import answers, candidates, corpus, load
from tests.bench.candidates import Server
from tests.bench.soak.reading import Reading, read
from tests.bench.soak.verdict import Soak

PIPELINE = Path(__file__).parents[3] / "plugins.toml"
DIFFERENT_BODIES = 28
"""Bodies before the same lines come again, with other digits."""

Notice = Callable[[Reading], None]


class Plan(NamedTuple):
    """What is sent: batches of `size` logs over `connections`, for `seconds`; a reading every `interval` seconds,
    and `readings` of them at least.

    The rate is `share` of the highest one, which is measured for `probe` seconds.
    `server` and `generator` are the cores that the two are pinned to; `None`: all of them.
    """

    seconds: float
    interval: float
    probe: float = 20.0
    share: float = 0.7
    size: int = 1000
    connections: int = 16
    server: int | None = 0
    generator: int | None = 1
    readings: int = 0


def run(plan: Plan, say: Callable[[str], None], notice: Notice) -> Soak:
    """Start a service with the default pipeline, load it, count what it has stored.

    `say` hears what begins, `notice` every reading. Raises `RuntimeError` when the service cannot store what it has
    accepted, or when the load cannot be sent.
    """
    bodies = corpus.bodies(DIFFERENT_BODIES, plan.size)
    with candidates.ours(plan.server, pipeline=PIPELINE.read_text()) as server:
        say(f"the highest rate, {plan.probe:.0f} s")
        highest, probed = _highest(server, plan, bodies)
        rate = plan.share * highest
        say(f"{rate:,.0f} logs/s for {plan.seconds / 60:g} minutes")
        sent, readings = _send(server, plan, bodies, rate, notice)
        say("storing what has gathered, counting")
        candidates.flush(server)
        stored = sum(answers.stored(server.url).values())
    return Soak(
        highest=highest,
        rate=rate,
        seconds=sent.seconds,
        sent=sent.accepted,
        failed=sent.failed,
        accepted=probed + sent.accepted,
        stored=stored,
        generator=sent.cpu / sent.seconds,
        readings=readings,
    )


def _highest(server: Server, plan: Plan, bodies: list[bytes]) -> tuple[float, int]:
    """Logs a second at full speed, until the last of them is stored; and how many were accepted."""
    sent = load.run(_load(server, plan, bodies, plan.probe), plan.generator)
    began = time.perf_counter()
    candidates.flush(server)
    return sent.accepted / (sent.seconds + time.perf_counter() - began), sent.accepted


def _send(
    server: Server, plan: Plan, bodies: list[bytes], rate: float, notice: Notice
) -> tuple[load.Outcome, list[Reading]]:
    readings: list[Reading] = []

    def told(how_far: load.Told) -> None:
        if how_far.latencies:  # without an answer there is no latency; those that come later say how late they are
            readings.append(read(server, how_far))
            notice(readings[-1])

    todo = _load(server, plan, bodies, plan.seconds)
    todo = todo._replace(rate=rate / plan.size, tell_every=plan.interval, tells=plan.readings)
    return load.run(todo, plan.generator, told), readings


def _load(server: Server, plan: Plan, bodies: list[bytes], seconds: float) -> load.Load:
    return load.Load(f"{server.url}/ingest/batch", bodies, plan.connections, seconds, anew=True)
