"""Receives what agents push to Loki, and answers Loki's queries about counts and patterns."""

from log_aggregator_loki.plugin import LokiConfig, LokiReceiver

__all__ = ["LokiConfig", "LokiReceiver"]
