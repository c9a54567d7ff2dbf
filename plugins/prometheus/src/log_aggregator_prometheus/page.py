"""The page of metrics at one moment, in the format that the scraper asks for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from prometheus_client import ProcessCollector
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from log_aggregator.store import StoreHealth
from log_aggregator_prometheus import anomalies, families
from log_aggregator_prometheus.labels import Sources


class _Page:
    """All metrics at one moment: what the encoders of the client library ask for."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """The metrics, by family."""
        return self._metrics


def page(accept: str, stats: dict[str, Any], health: StoreHealth | None, sources: Sources) -> tuple[bytes, str]:
    """The page and its content type; `accept` is the header of the request, `stats` as at `GET /stats`.

    `health` is `None` where no store can be asked. `sources` says which sources are shown apart.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_Page(list(_metrics(stats, health, sources)))), content_type


def _metrics(stats: dict[str, Any], health: StoreHealth | None, sources: Sources) -> Iterator[Metric]:
    release = {"version": version("log-aggregator-core")}
    yield InfoMetricFamily(f"{families.PREFIX}_build", "The release that runs.", value=release)
    yield from families.of_service(stats)
    yield from families.of_logs(stats, sources)
    yield from families.of_sinks(stats)
    yield from families.of_plugins(stats)
    yield from anomalies.of_anomalies(stats, sources)
    yield from families.of_store(health)
    yield from ProcessCollector(registry=None).collect()
