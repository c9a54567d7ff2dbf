"""Events wait for one flush: every alias, and of an anomaly its newest revision."""

from __future__ import annotations

from log_aggregator.aggregation.events import Events
from log_aggregator.sinks import Alias, Anomaly


def anomaly(revision: int, state: str = "open") -> Anomaly:
    return Anomaly("a1", "spike", state, "recorded", "", "", "", "app", 1, 1, 0.9, revision=revision)


def test_only_the_newest_revision_of_an_anomaly_is_kept() -> None:
    events = Events()
    for revision in (1, 3, 2):
        events.add(anomaly(revision))
    assert events.take() == ([], [anomaly(3)])


def test_the_same_revision_replaces_the_one_before() -> None:
    events = Events()
    events.add(anomaly(1))
    events.add(anomaly(1, "resolved"))
    assert [one.state for one in events.take()[1]] == ["resolved"]


def test_events_are_taken_once() -> None:
    events = Events()
    assert not events
    events.add(Alias("0" * 16, "new", 5))
    assert events
    assert events.take() == ([Alias("0" * 16, "new", 5)], [])
    assert not events
    assert events.take() == ([], [])
