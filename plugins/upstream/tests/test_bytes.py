"""What an edge sends is a small part of what its logs would be."""

from __future__ import annotations

from tests.bench.bench_edges import demo_logs, measure


async def test_ten_thousand_logs_are_less_than_an_eighth_of_their_gzip() -> None:
    found = await measure(demo_logs(10_000))
    assert found.factor >= 8, found
