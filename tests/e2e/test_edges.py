"""Edges that send aggregates, through another service and directly, to a hub."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from log_aggregator.model.aggregate import Key
from log_aggregator.model.summary import to_json
from log_aggregator.sinks import Aggregate
from log_aggregator_dev.harness import Harness, harness
from tests.support.edges import ALONE, HUB, counted, edge, eventually, held, made_logs, send


def _without_draws(summary: Any) -> Any:
    """A summary as JSON, without the random draws of its values."""
    shown = to_json(summary)
    for entry in shown.values():
        entry["state"].pop("draws")
    return shown


def comparable(rows: dict[Key, Aggregate]) -> dict[Key, Any]:
    """All of a row that does not depend on which logs came together: samples between the first and the latest do."""
    return {
        key: (
            row.pattern, row.count, row.first_seen, row.last_seen, row.categories, row.tags, row.minutes,
            _without_draws(row.metadata), _without_draws(row.variables),
            row.samples.first_log(row.first_seen, row.last_seen),
            row.samples.latest_log(row.first_seen, row.last_seen),
        )
        for key, row in rows.items()
    }  # fmt: skip


async def test_a_hub_of_a_tree_holds_what_one_service_would(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:

        async def started(name: str, pipeline: str) -> Harness:
            return await stack.enter_async_context(harness(pipeline, data_dir=tmp_path / name))

        hub, alone = await started("hub", HUB), await started("alone", ALONE)
        middle = await started("middle", edge(hub.url, accept=True))
        edges = [
            await started("left", edge(middle.url)),
            await started("right", edge(middle.url)),
            await started("direct", edge(hub.url)),
        ]
        logs = [made_logs(60, seed, source) for seed, source in enumerate(("shop", "bank", "shop"))]
        for service, some in zip([*edges, hub], [*logs, made_logs(30, 9)], strict=True):
            await send(service, some)
            await send(alone, some)
            await service.flush()
        await eventually(lambda: counted(hub), 210)
        assert await counted(alone) == 210
        of_hub, of_one = held(tmp_path / "hub"), held(tmp_path / "alone")
        assert len(of_hub) == len(of_one) > 10
        assert comparable(of_hub) == comparable(of_one)
        figures = (await hub.get("/stats"))["plugins"]["edges"]["figures"]
        assert (figures["edges"], figures["logs"], figures["rejected_groups"]) == (2, 180, 0)
        for service in (hub, middle, *edges):
            checks = (await service.get("/health"))["checks"]
            assert checks.get("upstream", {"ok": True})["ok"], checks
