"""What is unusual in the logs as metrics: open anomalies, and how many began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from log_aggregator_prometheus.families import PREFIX
from log_aggregator_prometheus.labels import Sources

_KINDS = 50
"""Kinds of anomalies that have a label: the plugins that find them know a dozen."""


def of_anomalies(stats: Mapping[str, Any], sources: Sources) -> Iterator[Metric]:
    """The metrics of the plugins whose figures have `anomalies`, as those of `trends` do. None without such a plugin.

    `sources` says which sources have a label of their own.
    """
    known = [found for plugin in stats["plugins"].values() if (found := _anomalies(plugin)) is not None]
    if not known:
        return
    opened = GaugeMetricFamily(
        f"{PREFIX}_anomalies_open", "Anomalies that go on; tier notify: a person is told.",
        labels=["kind", "tier", "source"],
    )  # fmt: skip
    rows = [row for found in known for row in found.get("open", ())]
    counts = Counter((row["kind"], row["tier"], sources.label(row["source"])) for row in rows)
    for labels, count in sorted(counts.items()):
        opened.add_metric(labels, count)
    yield opened
    began = CounterMetricFamily(f"{PREFIX}_anomalies", "Anomalies that began since the start.", labels=["kind"])
    total: Counter[str] = Counter()
    for found in known:
        total.update(found.get("since_start", {}))
    for kind, count in total.most_common(_KINDS):
        began.add_metric([kind], count)
    yield began


def _anomalies(plugin: Mapping[str, Any]) -> Mapping[str, Any] | None:
    figures = plugin.get("figures")
    found = figures.get("anomalies") if isinstance(figures, Mapping) else None
    return found if isinstance(found, Mapping) else None
