"""The whole detector: anomalies that it must find, series on which it must not alert, and its stored state."""

from __future__ import annotations

import copy
import math
import pickle
import random

import pytest

from log_aggregator_trends.detector import Detector, explain, pack, unpack
from log_aggregator_trends.detector.tail import lower_tail, upper_tail

T0 = 1_767_225_600
DAY = 1440


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def trained(rng: random.Random, mean: float = 5.0, days: int = 3) -> tuple[Detector, int]:
    detector = Detector()
    for minute in range(days * DAY):
        detector.update(T0 + minute * 60, poisson(rng, mean))
    return detector, days * DAY


def alerts(detector: Detector, start: int, counts: list[int]) -> list[int]:
    return [
        place
        for place, count in enumerate(counts)
        if detector.update(T0 + (start + place) * 60, count) >= detector.threshold
    ]


def exact(count: int, mean: float, size: float) -> tuple[float, float]:
    """P(X >= count) and P(X <= count) of a negative binomial, by summation."""
    mass = [
        math.exp(
            math.lgamma(x + size)
            - math.lgamma(size)
            - math.lgamma(x + 1)
            + size * math.log(size / (size + mean))
            + x * math.log(mean / (size + mean))
        )
        for x in range(4000)
    ]
    return sum(mass[count:]), sum(mass[: count + 1])


@pytest.mark.parametrize(("mean", "size"), [(0.2, 0.3), (5.0, 1.5), (50.0, 10.0), (30.0, 200.0)])
@pytest.mark.parametrize("ratio", [3.0, 6.0])
def test_upper_tail_is_the_sum(mean: float, size: float, ratio: float) -> None:
    count = max(3, math.ceil(mean * ratio))
    assert upper_tail(count, mean, 1 / size) == pytest.approx(-math.log10(exact(count, mean, size)[0]), rel=0.05)


@pytest.mark.parametrize(("mean", "size", "count"), [(50.0, 10.0, 7), (300.0, 5.0, 24), (5.0, 1.5, 0)])
def test_lower_tail_is_the_sum(mean: float, size: float, count: int) -> None:
    assert lower_tail(count, mean, 1 / size) == pytest.approx(-math.log10(exact(count, mean, size)[1]), rel=0.08)


def test_spike_is_found_and_explained(rng: random.Random) -> None:
    detector, now = trained(rng)
    found = alerts(detector, now, [50])
    assert found == [0]
    reason = explain(detector)
    assert reason.window in {1, 5}
    assert reason.seen >= 50 > reason.high > reason.expected > reason.low
    assert reason.surprise > 6


def test_silence_is_found_and_explained(rng: random.Random) -> None:
    detector, now = trained(rng)
    found = alerts(detector, now, [0] * 10)
    assert 1 <= found[0] <= 5
    reason = explain(detector)
    assert reason.silent == 10
    assert reason.expected > 0


def test_ordinary_days_raise_no_alert(rng: random.Random) -> None:
    detector, now = trained(rng)
    assert alerts(detector, now, [poisson(rng, 5.0) for _ in range(4 * DAY)]) == []


def test_lasting_shift_alerts_once_and_becomes_normal(rng: random.Random) -> None:
    detector, now = trained(rng, days=8)
    found = alerts(detector, now, [poisson(rng, 15.0) for _ in range(DAY)])
    assert found[0] <= 10
    assert found[-1] < 180
    assert detector.level.rate == pytest.approx(15, rel=0.2)


def test_old_level_is_restored_after_a_spike_of_hours(rng: random.Random) -> None:
    detector, now = trained(rng)
    alerts(detector, now, [poisson(rng, 30.0) for _ in range(150)])
    assert detector.level.rate > 20
    assert alerts(detector, now + 150, [poisson(rng, 5.0) for _ in range(600)]) == []
    assert detector.level.rate == pytest.approx(5, rel=0.3)


def test_hourly_and_daily_jobs_are_known_after_one_round(rng: random.Random) -> None:
    detector = Detector()
    found = []
    for minute in range(6 * DAY):
        count = poisson(rng, 0.5)
        if minute % 60 == 17:
            count += 100
        if minute % DAY == 200:
            count += 900
        if detector.update(T0 + minute * 60, count) >= detector.threshold and minute > DAY:
            found.append(minute)
    assert found == []
    assert alerts(detector, 6 * DAY, [0] * 17 + [1000]) == [17]


def test_hourly_job_that_stops_is_missed(rng: random.Random) -> None:
    detector = Detector()
    for minute in range(4 * DAY):
        detector.update(T0 + minute * 60, 40 if minute % 60 == 30 else 0)
    found = alerts(detector, 4 * DAY, [0] * 360)
    assert found
    assert found[0] <= 240


def test_skipped_minutes_are_unknown_not_silent(rng: random.Random) -> None:
    detector, now = trained(rng)
    rate = detector.level.rate
    assert alerts(detector, now + 400, [poisson(rng, 5.0) for _ in range(300)]) == []
    assert detector.level.rate == pytest.approx(rate, rel=0.1)


def test_a_minute_is_counted_once(rng: random.Random) -> None:
    detector, now = trained(rng, days=1)
    before = pack(detector)
    assert detector.update(T0 + (now - 1) * 60, 500) == 0.0
    assert pack(detector) == before


def test_copies_continue_identically(rng: random.Random) -> None:
    detector, now = trained(rng, days=2)
    unpacked = unpack(pack(detector))
    assert unpacked is not None
    copies = [copy.deepcopy(detector), pickle.loads(pickle.dumps(detector)), unpacked]
    for minute in range(now, now + 2000):
        count = poisson(rng, 5.0) + (80 if minute % 700 == 0 else 0)
        score = detector.update(T0 + minute * 60, count)
        assert [other.update(T0 + minute * 60, count) for other in copies] == [score] * 3
    assert {pack(other) for other in copies} == {pack(detector)}


@pytest.mark.parametrize("broken", [b"", b"\x80", b"nonsense", pickle.dumps(1)])
def test_bytes_of_another_version_are_rejected(broken: bytes) -> None:
    assert unpack(broken) is None


def test_state_is_small(rng: random.Random) -> None:
    detector, _ = trained(rng, days=8)
    assert len(pickle.dumps(detector)) <= 4000
    assert len(pack(detector)) <= 4000


def test_one_absent_run_of_a_daily_job_is_missed_once(rng: random.Random) -> None:
    detector = Detector()

    def day(runs: bool, number: int) -> list[int]:
        counts = [poisson(rng, 0.5) for _ in range(DAY)]
        for minute in range(200, 204) if runs else ():
            counts[minute + number % 3] += poisson(rng, 40)
        return alerts(detector, number * DAY, counts)

    for number in range(12):
        found = day(True, number)
    assert found == []
    missed = day(False, 12)
    assert len(missed) == 1
    assert 200 < missed[0] < 270
    assert day(True, 13) == []


def test_a_job_of_working_days_is_not_missed_at_the_weekend(rng: random.Random) -> None:
    detector = Detector()
    found = []
    for number in range(21):
        counts = [poisson(rng, 0.5) for _ in range(DAY)]
        for minute in range(600, 604) if number % 7 < 5 else ():
            counts[minute] += 40
        found += [number for _ in alerts(detector, number * DAY, counts) if number >= 1]
    assert found == []


def test_bursts_at_random_become_usual(rng: random.Random) -> None:
    detector = Detector()
    found: list[int] = []
    for number in range(14):
        counts = [poisson(rng, 2.0) for _ in range(DAY)]
        start = rng.randrange(DAY - 30)
        for minute in range(start, start + rng.randrange(5, 25)):
            counts[minute] += poisson(rng, 40)
        if alerts(detector, number * DAY, counts):
            found.append(number)
    assert len(found) <= 6
    assert [number for number in found if number >= 10] == []
    assert alerts(detector, 14 * DAY, [poisson(rng, 4000.0) for _ in range(10)])


def test_the_edges_of_opening_hours_may_come_early_or_late(rng: random.Random) -> None:
    detector = Detector()
    found = []
    for number in range(12):
        opens = 480 + rng.randrange(-40, 40)
        counts = [poisson(rng, 15.0 if opens <= minute < opens + 600 else 0.3) for minute in range(DAY)]
        found += [number for _ in alerts(detector, number * DAY, counts) if number >= 5]
    assert found == []
    at_noon = [poisson(rng, 0.3 if minute < 480 or minute >= 720 else 15.0) for minute in range(760)]
    assert alerts(detector, 12 * DAY, at_noon)


def test_the_first_evening_raises_no_silence(rng: random.Random) -> None:
    detector = Detector()
    first_day = [poisson(rng, 4.0 if 480 <= minute < 1020 else 0.02) for minute in range(DAY)]
    assert alerts(detector, 0, first_day[480:]) == []
