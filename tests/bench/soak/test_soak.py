"""What grows is noticed, what stays is not; and a soak of a few seconds counts every log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.bench.soak import page
from tests.bench.soak.reading import Reading
from tests.bench.soak.run import Plan, run
from tests.bench.soak.verdict import Soak, judge

MB = 10**6
STEADY = Reading(
    seconds=0, accepted=0, cpu=1.0, commits=0, commit_seconds=0.0, memory=90 * MB, journal=20 * MB, store=0,
    store_log=4 * MB, other=50_000, open_files=40, queue=1000, troubled=0, p50=4.0, p99=12.0,
)  # fmt: skip
SECONDS, RATE = 600, 1000


def steady(**growth: float) -> list[Reading]:
    """A reading every ten seconds; `growth` is what is added to a figure until the end, evenly."""
    return [
        msgspec.structs.replace(
            STEADY,
            seconds=at,
            accepted=at * RATE,
            cpu=at / 2,
            commits=at * 5,
            commit_seconds=at * 0.02,
            store=at * 10_000,
            **{name: getattr(STEADY, name) + int(more * at / SECONDS) for name, more in growth.items()},
        )
        for at in range(10, SECONDS + 1, 10)
    ]


def soak(readings: list[Reading], **differs: Any) -> Soak:
    sent = RATE * SECONDS
    found = Soak(
        highest=RATE / 0.7, rate=RATE, seconds=SECONDS, sent=sent, failed=0, accepted=sent, stored=sent, generator=0.1,
        readings=readings,
    )  # fmt: skip
    return msgspec.structs.replace(found, **differs)


def failing(found: Soak) -> list[str]:
    return [verdict.what for verdict in judge(found) if not verdict.met]


def test_a_service_that_stays_as_it_is_passes():
    assert failing(soak(steady())) == []


@pytest.mark.parametrize(
    ("growth", "what"),
    [
        ({"memory": 40 * MB}, "memory"),
        ({"journal": 120 * MB}, "journal"),
        ({"store_log": 60 * MB}, "write-ahead logs of the stores"),
        ({"other": 5 * MB}, "other files"),
        ({"open_files": 12}, "open files"),
        ({"queue": 20_000}, "queue"),
        ({"p50": 30}, "p50 of a request"),
        ({"p99": 60}, "p99 of a request"),
    ],
)
def test_what_grows_is_named(growth, what):
    assert failing(soak(steady(**growth))) == [what]


def test_logs_that_cost_more_and_more_are_noticed():
    dearer = [msgspec.structs.replace(reading, cpu=reading.seconds**2 / SECONDS) for reading in steady()]
    assert failing(soak(dearer)) == ["CPU of 100,000 logs"]


def test_the_warm_up_does_not_count():
    readings = steady()
    cold = [msgspec.structs.replace(reading, memory=MB, journal=MB, p99=1.0) for reading in readings[:8]]
    assert failing(soak(cold + readings[8:])) == []


def test_a_plugin_that_was_left_out_makes_it_another_service():
    readings = steady()
    readings[3] = msgspec.structs.replace(readings[3], troubled=1)
    assert failing(soak(readings)) == ["plugins that failed or were left out"]


def test_one_slow_moment_is_no_growth():
    readings = steady()
    readings[-3] = msgspec.structs.replace(readings[-3], p99=900.0, queue=90_000)
    assert failing(soak(readings)) == []


@pytest.mark.parametrize(
    ("differs", "what"),
    [
        ({"stored": RATE * SECONDS - 1}, "every accepted log is stored"),
        ({"stored": RATE * SECONDS + 1}, "every accepted log is stored"),
        ({"failed": 1}, "refused requests"),
        ({"seconds": SECONDS * 1.1}, "logs/s"),
    ],
)
def test_a_count_that_is_wrong_is_named(differs, what):
    assert failing(soak(steady(), **differs)) == [what]


def test_too_short_a_soak_is_no_answer():
    with pytest.raises(ValueError, match="expected 8 or more"):
        judge(soak(steady()[::9]))


def test_the_page_has_a_few_lines_over_the_time_and_one_for_each_verdict():
    found = soak(steady(p99=60))
    verdicts = judge(found)
    lines = page.table(found).splitlines()
    assert page.LINES // 2 < len(lines) - 1 <= page.LINES
    assert lines[-1].split()[:4] == ["10.0", "1,000", "50.000", "4.0"]
    said = page.summary(found, 0.7, verdicts)
    assert said.count("\n") == 1 + len(verdicts)
    assert [line.split()[:2] for line in said.splitlines() if line.endswith("FAILS")] == [["p99", "of"]]


def test_a_few_readings_at_a_low_rate_count_every_log():
    noticed: list[Reading] = []
    plan = Plan(1.0, 0.1, probe=0.5, share=0.3, size=20, connections=4, server=None, generator=None, readings=20)
    found = run(plan, lambda _: None, noticed.append)
    verdicts = {verdict.what: verdict for verdict in judge(found)}
    assert verdicts["every accepted log is stored"].met, found
    assert verdicts["refused requests"].met
    assert found.accepted > found.sent > 0
    assert noticed == found.readings
    assert [reading.accepted for reading in noticed] == sorted(reading.accepted for reading in noticed)
    last = noticed[-1]
    assert (
        min(
            last.cpu,
            last.commits,
            last.commit_seconds,
            last.memory,
            last.journal,
            last.store,
            last.other,
            last.open_files,
            last.p50,
        )
        > 0
    )
    assert page.table(found)
