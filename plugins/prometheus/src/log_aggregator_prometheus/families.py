"""From the service's figures to Prometheus metrics: names, types, units and help texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric

from log_aggregator.store import StoreHealth
from log_aggregator_prometheus.labels import Sources, by_level

PREFIX = "log_aggregator"
MAX_FIGURES = 50
"""Figures of one plugin that are shown."""

_STATES = ("stored", "delivering", "retrying", "stopped")
_QUANTILES = {"0.5": "p50_ms", "0.9": "p90_ms", "0.99": "p99_ms"}

Labelled = Iterable[tuple[str, float]]


def of_service(stats: Mapping[str, Any]) -> Iterator[Metric]:
    """The metrics without labels that clients choose: how the service as a whole does."""
    logs, aggregation, journal = stats["logs"], stats["aggregation"], stats["journal"]
    outcomes = {"accepted": "accepted", "rejected": "rejected", "refused": "refused", "duplicates": "duplicate"}
    yield _counters(
        "logs_received", "Logs received, by outcome; rejected: unwanted, refused: the service was overloaded.",
        "outcome", ((outcome, logs[name]) for name, outcome in outcomes.items()),
    )  # fmt: skip
    yield _counter("logs_overflowed", "Logs counted under the overflow pattern, beyond the cap.", logs["overflowed"])
    yield _counter("flushes", "Flushes sealed.", aggregation["flushes"])
    yield _counter(
        "flushes_reduced", "Flushes too long for the journal of a cluster: they lost details, no counts.",
        aggregation["flushes_reduced"],
    )  # fmt: skip
    yield _counter("rows", "Aggregated rows in all flushes.", aggregation["rows"])
    yield _gauge("aggregation_efficiency_ratio", "Share of logs that needed no row of their own.", _efficiency(stats))
    yield _gauge("groups_gathering", "Groups that wait for the next flush.", aggregation["gathering_groups"])
    yield _counter("processing_seconds", "Time spent finding patterns and grouping.", aggregation["busy_seconds"])
    yield _latency("acknowledge_seconds", "Time from a batch to its acknowledgement.", stats["latency"]["acknowledge"])
    yield _gauge("queue_records", "Acknowledged logs that wait to be aggregated.", stats["queue"]["records"])
    yield _gauge("journal_size_bytes", "Disk that the journal uses.", journal["bytes"])
    yield _gauge(
        "journal_limit_bytes", "Disk that the journal may use; beyond it logs are refused.", journal["max_bytes"]
    )
    commits = SummaryMetricFamily(f"{PREFIX}_journal_commit_seconds", "Time to make a group of batches durable.")
    commits.add_metric([], journal["commits"], journal["commit_seconds"])
    yield commits
    yield _gauge("memory_resident_bytes", "Memory in RAM, of all workers.", stats["memory"]["resident_bytes"])
    reloads = stats["reloads"]
    yield _counters(
        "reloads", "Reloads of the configuration, by outcome; failed: the old one goes on.", "outcome",
        ((outcome, reloads[outcome]) for outcome in ("succeeded", "failed")),
    )  # fmt: skip
    yield _gauge("uptime_seconds", "Time since the start.", stats["uptime_seconds"])


def of_logs(stats: Mapping[str, Any], sources: Sources) -> Iterator[Metric]:
    """Processed logs by level, and those of an error level by source."""
    logs = stats["logs"]
    levels = by_level(logs["by_level"])
    yield _counters("logs_processed", "Logs that went through the pipeline.", "level", levels.items())
    errors = sources.counts(logs["errors_by_source"])
    yield _counters("error_logs", "Logs of level ERROR, CRITICAL or FATAL.", "source", errors)


def of_sinks(stats: Mapping[str, Any]) -> Iterator[Metric]:
    """Each sink's lane: how fast the database is, how far it is behind, what was lost."""
    sinks: Mapping[str, Mapping[str, Any]] = stats["sinks"]
    took = SummaryMetricFamily(
        f"{PREFIX}_sink_delivery_seconds", "Time of attempts to deliver a flush, failed ones too.", labels=["sink"]
    )
    for name, sink in sinks.items():
        took.add_metric([name], sink["attempts"], sink["seconds"])
    yield took
    counters = {
        "delivered": ("sink_delivered_flushes", "Flushes that the sink has taken."),
        "errors": ("sink_errors", "Attempts that failed."),
        "lost_logs": ("sink_lost_logs", "Logs in flushes that were dropped; only for sinks that are not required."),
    }
    for figure, (metric, text) in counters.items():
        yield _counters(metric, text, "sink", ((name, sink[figure]) for name, sink in sinks.items()))
    lag = ((name, sink["lag_flushes"]) for name, sink in sinks.items())
    yield _gauges("sink_lag_flushes", "Flushes that the sink does not have yet.", "sink", lag)
    states = GaugeMetricFamily(f"{PREFIX}_sink_state", "1 for the state that the sink is in.", labels=["sink", "state"])
    for name, sink in sinks.items():
        for state in _STATES:
            states.add_metric([name, state], float(sink["state"] == state))
    yield states


def of_plugins(stats: Mapping[str, Any]) -> Iterator[Metric]:
    """What each plugin costs, how it fails, and its own figures."""
    plugins: Mapping[str, Mapping[str, Any]] = stats["plugins"]
    counters = {
        "calls": ("plugin_calls", "Calls of the plugin's hooks."),
        "seconds": ("plugin_seconds", "Time spent in the plugin's hooks."),
        "errors": ("plugin_errors", "Calls that raised."),
        "slow_calls": ("plugin_slow_calls", "Calls that held up the service for more than a quarter of a second."),
    }
    for figure, (metric, text) in counters.items():
        yield _counters(metric, text, "plugin", ((name, plugin[figure]) for name, plugin in plugins.items()))
    opened = ((name, float(plugin["circuit"] == "open")) for name, plugin in plugins.items())
    yield _gauges("plugin_circuit_open", "1 while the plugin is left out after repeated errors.", "plugin", opened)
    own = GaugeMetricFamily(
        f"{PREFIX}_plugin_figure", "The plugin's own figures, as in GET /stats.", labels=["plugin", "figure"]
    )
    for name, plugin in plugins.items():
        for figure, value in _numbers(plugin.get("figures")):
            own.add_metric([name, figure], value)
    yield own


def of_store(health: StoreHealth | None) -> Iterator[Metric]:
    """Whether the store that is read answers, and how fast. Nothing when no store is enabled."""
    if health is None:
        return
    yield _gauge("store_up", "1 when the store answers.", float(health.reachable))
    if health.latency_ms is not None:
        yield _gauge("store_latency_seconds", "Time of the store's answer just now.", health.latency_ms / 1000)


def _efficiency(stats: Mapping[str, Any]) -> float:
    logs_per_row = stats["aggregation"]["logs_per_row"]
    return 1 - 1 / logs_per_row if logs_per_row else 0.0


def _numbers(figures: object) -> list[tuple[str, float]]:
    if not isinstance(figures, Mapping):
        return []
    numbers = [
        (str(name), float(value))
        for name, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return numbers[:MAX_FIGURES]


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _counters(name: str, text: str, label: str, values: Labelled) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    for labelled, value in values:
        family.add_metric([labelled], value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Labelled) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
    for labelled, value in values:
        family.add_metric([labelled], value)
    return family


def _latency(name: str, text: str, figures: Mapping[str, Any]) -> Metric:
    """A summary with quantiles over the time since the start."""
    family = SummaryMetricFamily(f"{PREFIX}_{name}", text)
    for quantile, figure in _QUANTILES.items():
        if figures[figure] is not None:
            family.add_sample(family.name, {"quantile": quantile}, figures[figure] / 1000)
    family.add_metric([], figures["count"], figures["sum_seconds"])
    return family
