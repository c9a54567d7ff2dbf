"""A record that stands for ten logs counts ten, wherever counts are shown."""

from __future__ import annotations

from log_aggregator import Batch, hookimpl
from log_aggregator_dev import harness
from log_aggregator_sqlite import SqliteSink


class OneInTen:
    """Keeps one record in ten, which stands for all of them."""

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for place, record in enumerate(batch):
            if place % 10:
                batch.drop(record, "sampled")
            else:
                record.weight = 10


async def test_sums_are_exact_after_sampling() -> None:
    sink = SqliteSink(SqliteSink.Config())
    async with harness(given={"sampling": OneInTen(), "sqlite": sink}) as h:
        await h.post(*[f"job {n} done" for n in range(100)])
        await h.flush()
        (row,) = (await h.get("/patterns"))["patterns"][:1]
        stats = await h.get("/stats")
        series = (await h.get(f"/patterns/{row['pattern_id']}/timeline"))["series"]
        rows = (await h.get("/patterns?limit=1000"))["patterns"]
    assert sum(one["count"] for one in rows) == 100
    assert {one["count"] for one in rows} == {10}
    assert [line["total"] for line in series] == [10]
    assert "100" in str(stats)
