"""Receives logs of Datadog's agents and clients."""

from log_aggregator_datadog.plugin import DatadogConfig, DatadogReceiver

__all__ = ["DatadogConfig", "DatadogReceiver"]
