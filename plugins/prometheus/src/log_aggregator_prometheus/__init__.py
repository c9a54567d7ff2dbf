"""Shows the service's figures to Prometheus."""

from log_aggregator_prometheus.plugin import PrometheusConfig, PrometheusMetrics

__all__ = ["PrometheusConfig", "PrometheusMetrics"]
