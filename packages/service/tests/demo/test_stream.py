"""The made-up stream: the same for a seed, plausible, with the incident where it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import datetime
from itertools import islice, takewhile

from log_aggregator_service.demo import KINDS, Incident, labelled, stream


def seconds(log):
    return datetime.fromisoformat(log["timestamp"]).timestamp()


def test_the_same_seed_makes_the_same_logs_in_another_process():
    code = (
        "from itertools import islice; from log_aggregator_service.demo import stream;"
        "print(list(islice(stream(seed=7), 500)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.strip() == str(list(islice(stream(seed=7), 500)))
    assert list(islice(stream(seed=8), 500)) != list(islice(stream(seed=7), 500))


def test_every_kind_comes_with_its_fields_filled_in():
    seen = Counter()
    for kind, log in islice(labelled(), 60_000):
        seen[kind] += 1
        assert "{" not in log["message"]
        assert set(log["metadata"]) == set(kind.metadata)
        assert (log["level"], log["source"]) == (kind.level, kind.source)
    assert set(seen) == set(KINDS)
    assert any("\n" in log["message"] for log in islice(stream(), 60_000))


def test_time_goes_on_at_the_asked_rate():
    times = [seconds(log) for log in islice(stream(start=1000.0, rate=50.0), 5000)]
    assert times == sorted(times)
    assert times[0] > 1000.0
    assert 85 < times[-1] - times[0] < 115


def test_an_incident_is_a_burst_of_errors_in_its_time_and_nowhere_else():
    logs = takewhile(lambda log: seconds(log) < 1090, stream(start=1000.0, rate=100.0, incident=Incident(30, 30)))
    errors = Counter(
        int((seconds(log) - 1000) // 30)
        for log in logs
        if log["source"] == "payment" and log["level"] in {"ERROR", "CRITICAL"}
    )
    assert errors[1] > 1000
    assert errors[0] < 20
    assert errors[2] < 20
