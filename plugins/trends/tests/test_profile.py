"""What a profile keeps of metadata values."""

from __future__ import annotations

import msgspec

from log_aggregator.sinks import Aggregate
from log_aggregator_trends.profile import Profile
from plugins.trends.tests.made import aggregate

UPSTREAM = "the service that answers for the orders of the day"
"""Longer than what the decoder itself remembers of keys."""


def test_series_share_the_texts_of_equal_values() -> None:
    """Thousands of series see the same few hundred values, and each flush brings them anew."""
    sent = msgspec.msgpack.encode(aggregate("p", 3, 0, metadata=[{"upstream": UPSTREAM}] * 3))
    profiles = [Profile(), Profile()]
    for profile in profiles:
        profile.add(msgspec.msgpack.decode(sent, type=Aggregate))
    one, other = (next(iter(profile.recent["upstream"])) for profile in profiles)
    assert one == UPSTREAM
    assert one is other
