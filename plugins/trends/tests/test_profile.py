"""The strings that a profile stores."""

from __future__ import annotations

import msgspec

from log_aggregator.sinks import Aggregate
from log_aggregator_trends.profile import Profile
from plugins.trends.tests.factories import aggregate

UPSTREAM = "the service that answers for the orders of the day"
"""Longer than the strings that the msgspec decoder caches."""


def test_series_share_equal_strings() -> None:
    """Thousands of series have the same few hundred values, and each flush holds new copies of them."""
    sent = msgspec.msgpack.encode(aggregate("p", 3, 0, metadata=[{"upstream": UPSTREAM}] * 3))
    profiles = [Profile(), Profile()]
    for profile in profiles:
        profile.add(msgspec.msgpack.decode(sent, type=Aggregate))
    one, other = (next(iter(profile.recent["upstream"])) for profile in profiles)
    assert one == UPSTREAM
    assert one is other
