"""Each figure arrives under its name, and clients cannot choose how many series there are."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import Record
from log_aggregator.store import StoreHealth
from log_aggregator_prometheus import families
from log_aggregator_prometheus.labels import OTHER, Sources, by_level
from plugins.prometheus.tests.made import running, samples


def record(message: str, level: str = "INFO", source: str = "app") -> Record:
    return Record(message, level, source, time.time_ns() // 1000, {}, pattern=message)


def shown(stats: dict[str, Any]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    metrics = [*families.of_service(stats), *families.of_logs(stats, Sources(10))]
    return samples([*metrics, *families.of_sinks(stats), *families.of_plugins(stats)])


async def test_the_figures_of_a_real_service(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        await service.submit([record("same")] * 8 + [record("bad", "ERROR", "shop")] * 2)
        await service.flush(30)
        found = shown(await service.stats())
    assert found["log_aggregator_logs_received_total", (("outcome", "accepted"),)] == 10
    assert found["log_aggregator_logs_processed_total", (("level", "INFO"),)] == 8
    assert found["log_aggregator_error_logs_total", (("source", "shop"),)] == 2
    assert found["log_aggregator_rows_total", ()] == 2
    assert found["log_aggregator_aggregation_efficiency_ratio", ()] == 0.8
    assert found["log_aggregator_acknowledge_seconds_count", ()] == 1
    took = found["log_aggregator_acknowledge_seconds_sum", ()]
    assert found["log_aggregator_acknowledge_seconds", (("quantile", "0.99"),)] == pytest.approx(took, rel=0.05)
    assert found["log_aggregator_sink_delivery_seconds_count", (("sink", "sqlite"),)] == 1
    assert found["log_aggregator_sink_delivery_seconds_sum", (("sink", "sqlite"),)] > 0
    assert found["log_aggregator_sink_lag_flushes", (("sink", "sqlite"),)] == 0
    assert found["log_aggregator_sink_state", (("sink", "sqlite"), ("state", "stored"))] == 1
    assert found["log_aggregator_journal_limit_bytes", ()] == 1024**3


async def test_a_service_that_has_seen_nothing_has_metrics_too(tmp_path: Path) -> None:
    async with running(tmp_path, "") as service:
        found = shown(await service.stats())
    assert found["log_aggregator_aggregation_efficiency_ratio", ()] == 0
    assert ("log_aggregator_acknowledge_seconds", (("quantile", "0.5"),)) not in found


def test_a_store_that_does_not_answer_is_down() -> None:
    assert samples(families.of_store(None)) == {}
    assert samples(families.of_store(StoreHealth(reachable=False))) == {("log_aggregator_store_up", ()): 0}
    up = samples(families.of_store(StoreHealth(reachable=True, latency_ms=2.5)))
    assert up["log_aggregator_store_latency_seconds", ()] == 0.0025


def test_only_numbers_of_a_plugin_are_shown_and_not_too_many() -> None:
    figures = {
        "good": 1,
        "share": 0.5,
        "yes": True,
        "text": "no",
        "nested": {"a": 1},
        **{f"f{n}": n for n in range(90)},
    }
    plugin = {"calls": 1, "seconds": 0, "errors": 0, "slow_calls": 0, "circuit": "open", "figures": figures}
    found = samples(families.of_plugins({"plugins": {"p": plugin}}))
    own = {labels[0][1]: value for (name, labels), value in found.items() if name.endswith("plugin_figure")}
    assert (own["good"], own["share"], len(own)) == (1, 0.5, families.MAX_FIGURES)
    assert not {"yes", "text", "nested"} & set(own)
    assert found["log_aggregator_plugin_circuit_open", (("plugin", "p"),)] == 1


def test_levels_that_clients_invent_share_one_label() -> None:
    counts = by_level({"INFO": 5, "ERROR": 2, **{f"L{n}": 1 for n in range(1000)}})
    assert (counts["INFO"], counts["TRACE"], counts[OTHER], len(counts)) == (5, 0, 1000, 9)


def test_sources_are_bounded_exact_in_sum_and_no_counter_ever_falls() -> None:
    sources, chance = Sources(20), random.Random(7)
    counts: dict[str, int] = {}
    before: dict[str, int] = {}
    for _ in range(200):
        for _ in range(10):
            source = f"s{int(chance.expovariate(0.02))}"
            counts[source] = counts.get(source, 0) + 1
        counts[OTHER] = counts.get(OTHER, 0) + 1
        now = dict(sources.counts(counts))
        assert len(now) <= 21
        assert sum(now.values()) == sum(counts.values())
        assert all(now[source] >= count for source, count in before.items())
        before = now


def test_the_first_look_names_the_sources_with_most_errors() -> None:
    assert dict(Sources(2).counts({"a": 1, "b": 9, "c": 5})) == {"b": 9, "c": 5, OTHER: 1}
    assert dict(Sources(0).counts({"a": 1})) == {OTHER: 1}
